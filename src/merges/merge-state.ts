import { StateMachine } from '../platform/state-machine.js';

/**
 * The life of a merge as data: the service asks this table before each change, the diagram in ARCHITECTURE.md is drawn
 * from it, and a state that is not here does not exist in the database either (its check constraint lists the same names).
 */
export const mergeStates = [
  'queued',
  'planning',
  'fetching',
  'running',
  'finalizing',
  'succeeded',
  'failed',
  'cancelled',
] as const;
export type MergeState = (typeof mergeStates)[number];

/** What can happen to a merge. Each is one row in `merge_events`. */
export type MergeHappening =
  'plan' | 'fetch' | 'start' | 'finalize' | 'succeed' | 'reuse' | 'fail' | 'cancel' | 'retry';

const life = new StateMachine<MergeState, MergeHappening>(mergeStates, ['queued'], {
  queued: { plan: 'planning', start: 'running', fail: 'failed', cancel: 'cancelled' },
  planning: { fetch: 'fetching', start: 'running', reuse: 'succeeded', fail: 'failed', cancel: 'cancelled' },
  fetching: { start: 'running', reuse: 'succeeded', fail: 'failed', cancel: 'cancelled' },
  running: { finalize: 'finalizing', fail: 'failed', cancel: 'cancelled' },
  finalizing: { succeed: 'succeeded', fail: 'failed', cancel: 'cancelled' },
  succeeded: {},
  failed: { retry: 'queued' },
  cancelled: { retry: 'queued' },
});

export const { next, statesBefore, isTerminal, stateDiagram } = life;

export const liveStates: readonly MergeState[] = mergeStates.filter((state) => !isTerminal(state));
