import { StateMachine } from '../platform/state-machine.js';

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

const life = new StateMachine<PublicationState, PublicationHappening>(publicationStates, ['waiting', 'queued'], {
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
});

export const { next, statesBefore, isTerminal, stateDiagram } = life;

/** States in which a worker takes it, or goes on with it after another. */
export const workStates: readonly PublicationState[] = ['queued', 'planning', 'uploading', 'committing', 'settling'];
