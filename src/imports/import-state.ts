import { StateMachine } from '../platform/state-machine.js';

/**
 * The life of an import as data: services ask this table before each change, and the database's check constraint lists
 * the same names.
 */
export const importStates = ['queued', 'planning', 'fetching', 'succeeded', 'failed', 'cancelled'] as const;
export type ImportState = (typeof importStates)[number];

/** What can happen to an import. Each is one row in `import_events`. */
export type ImportHappening = 'plan' | 'fetch' | 'succeed' | 'fail' | 'cancel' | 'retry';

const life = new StateMachine<ImportState, ImportHappening>(importStates, ['queued'], {
  queued: { plan: 'planning', fail: 'failed', cancel: 'cancelled' },
  // The headers are read. When that fails, no byte of the weights has moved.
  planning: { fetch: 'fetching', succeed: 'succeeded', fail: 'failed', cancel: 'cancelled' },
  fetching: { succeed: 'succeeded', fail: 'failed', cancel: 'cancelled' },
  succeeded: {},
  failed: { retry: 'queued' },
  cancelled: { retry: 'queued' },
});

export const { next, statesBefore, isTerminal } = life;

/** States in which a worker takes it, or goes on with it after another. */
export const workStates: readonly ImportState[] = ['queued', 'planning', 'fetching'];
