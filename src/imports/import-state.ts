/**
 * The life of an import as data: services ask this table before each change, and the database's check constraint lists
 * the same names.
 */
export const importStates = ['queued', 'planning', 'fetching', 'succeeded', 'failed', 'cancelled'] as const;
export type ImportState = (typeof importStates)[number];

/** What can happen to an import. Each is one row in `import_events`. */
export type ImportHappening = 'plan' | 'fetch' | 'succeed' | 'fail' | 'cancel' | 'retry';

const transitions: Record<ImportState, Partial<Record<ImportHappening, ImportState>>> = {
  queued: { plan: 'planning', fail: 'failed', cancel: 'cancelled' },
  // The headers are read. When that fails, no byte of the weights has moved.
  planning: { fetch: 'fetching', succeed: 'succeeded', fail: 'failed', cancel: 'cancelled' },
  fetching: { succeed: 'succeeded', fail: 'failed', cancel: 'cancelled' },
  succeeded: {},
  failed: { retry: 'queued' },
  cancelled: { retry: 'queued' },
};

/** The state that follows, or undefined when this cannot happen to an import in that state. */
export function next(state: ImportState, happening: ImportHappening): ImportState | undefined {
  return transitions[state][happening];
}

/** The states in which something may happen, in the order of an import's life. */
export function statesBefore(happening: ImportHappening): ImportState[] {
  return importStates.filter((state) => transitions[state][happening] !== undefined);
}

/** Succeeded, failed or cancelled: nothing runs for it any more (a retry begins it anew). */
export function isTerminal(state: ImportState): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'cancelled';
}

/** States in which a worker takes it, or goes on with it after another. */
export const workStates: readonly ImportState[] = ['queued', 'planning', 'fetching'];
