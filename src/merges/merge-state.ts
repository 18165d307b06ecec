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
export type MergeHappening = 'plan' | 'fetch' | 'start' | 'finalize' | 'succeed' | 'fail' | 'cancel' | 'retry';

const transitions: Record<MergeState, Partial<Record<MergeHappening, MergeState>>> = {
  queued: { plan: 'planning', start: 'running', fail: 'failed', cancel: 'cancelled' },
  planning: { fetch: 'fetching', start: 'running', fail: 'failed', cancel: 'cancelled' },
  fetching: { start: 'running', fail: 'failed', cancel: 'cancelled' },
  running: { finalize: 'finalizing', fail: 'failed', cancel: 'cancelled' },
  finalizing: { succeed: 'succeeded', fail: 'failed', cancel: 'cancelled' },
  succeeded: {},
  failed: { retry: 'queued' },
  cancelled: { retry: 'queued' },
};

/** The state that follows, or undefined when this cannot happen to a merge in that state. */
export function next(state: MergeState, happening: MergeHappening): MergeState | undefined {
  return transitions[state][happening];
}

/** The states in which something may happen, in the order of a merge's life. */
export function statesBefore(happening: MergeHappening): MergeState[] {
  return mergeStates.filter((state) => transitions[state][happening] !== undefined);
}

/** Succeeded, failed or cancelled: nothing runs for this merge any more (a retry begins it anew). */
export function isTerminal(state: MergeState): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'cancelled';
}

export const liveStates: readonly MergeState[] = mergeStates.filter((state) => !isTerminal(state));

/** The same table as a mermaid state diagram. */
export function stateDiagram(): string {
  const lines = ['stateDiagram-v2', '  [*] --> queued'];
  for (const state of mergeStates) {
    for (const [happening, target] of Object.entries(transitions[state])) {
      lines.push(`  ${state} --> ${target}: ${happening}`);
    }
    if (isTerminal(state)) lines.push(`  ${state} --> [*]`);
  }
  return lines.join('\n');
}
