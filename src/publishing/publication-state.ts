/**
 * The life of a publication as data: services ask this table before each change, the diagram in docs/publishing.md is
 * drawn from it, and the database's check constraint lists the same names.
 */
export const publicationStates = [
  'waiting',
  'queued',
  'planning',
  'uploading',
  'committing',
  'settling',
  'succeeded',
  'failed',
  'cancelled',
] as const;
export type PublicationState = (typeof publicationStates)[number];

/** What can happen to a publication. Each is one row in `publication_events`. */
export type PublicationHappening =
  'release' | 'plan' | 'upload' | 'commit' | 'settle' | 'succeed' | 'fail' | 'cancel' | 'retry';

const transitions: Record<PublicationState, Partial<Record<PublicationHappening, PublicationState>>> = {
  // For the merge whose result is to be published.
  waiting: { release: 'queued', cancel: 'cancelled' },
  queued: { plan: 'planning', fail: 'failed', cancel: 'cancelled' },
  planning: { upload: 'uploading', fail: 'failed', cancel: 'cancelled' },
  uploading: { commit: 'committing', fail: 'failed', cancel: 'cancelled' },
  // From here on the Hub may have the commit, so it cannot be called off any more.
  committing: { settle: 'settling', fail: 'failed' },
  settling: { succeed: 'succeeded', fail: 'failed' },
  succeeded: {},
  failed: { retry: 'queued' },
  cancelled: { retry: 'queued' },
};

/** The state that follows, or undefined when this cannot happen to a publication in that state. */
export function next(state: PublicationState, happening: PublicationHappening): PublicationState | undefined {
  return transitions[state][happening];
}

/** The states in which something may happen, in the order of a publication's life. */
export function statesBefore(happening: PublicationHappening): PublicationState[] {
  return publicationStates.filter((state) => transitions[state][happening] !== undefined);
}

/** Succeeded, failed or cancelled: nothing runs for it any more (a retry begins it anew). */
export function isTerminal(state: PublicationState): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'cancelled';
}

/** States in which a worker takes it, or goes on with it after another. */
export const workStates: readonly PublicationState[] = ['queued', 'planning', 'uploading', 'committing', 'settling'];

/** The same table as a mermaid state diagram. */
export function stateDiagram(): string {
  const lines = ['stateDiagram-v2', '  [*] --> waiting', '  [*] --> queued'];
  for (const state of publicationStates) {
    for (const [happening, target] of Object.entries(transitions[state])) {
      lines.push(`  ${state} --> ${target}: ${happening}`);
    }
    if (isTerminal(state)) lines.push(`  ${state} --> [*]`);
  }
  return lines.join('\n');
}
