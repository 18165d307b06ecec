import { AppError } from '../../errors.js';
import { WorkerLost } from '../../hub/hub-attempts.js';
import { HubError, refusalOf as refusalOfHub } from '../../hub/hub-error.js';
import { type AttemptFailure, failureOf as failureOfMerge } from '../failure.js';
import { refusalOf } from '../refusal.js';
import type { Need } from './needs.js';

export interface PreparationFailure extends AttemptFailure {
  /** What the Hub asks for. */
  waitSeconds?: number | undefined;
}

/** What a merge waited for has failed. */
export class NeedFailed extends Error {
  override readonly name = 'NeedFailed';

  constructor(readonly need: Need) {
    super(`${need.reference} has ${need.state}`);
  }
}

/** What to tell the user: a refusal is final, whoever was away is asked again. */
export function failureOf(error: unknown): PreparationFailure {
  if (error instanceof HubError) return failureOf(refusalOfHub(error));
  if (error instanceof NeedFailed) return failureOfNeed(error.need);
  const refusal = refusalOf(error);
  if (refusal) return { ...refusal, isPassing: false };
  if (error instanceof AppError) {
    const { code, message: detail, cause } = error;
    const waitSeconds = cause instanceof HubError ? cause.waitSeconds : undefined;
    return { code, detail, isPassing: true, waitSeconds };
  }
  if (error instanceof WorkerLost) {
    const detail =
      'The worker died again and again while it prepared this merge; it may need more memory than there is.';
    return { code: 'worker_lost', detail, isPassing: false };
  }
  return failureOfMerge(error);
}

/** With the pointer to its place in the request, so that it reads as if the merge itself had found out. */
function failureOfNeed({ reference, pointer, state, failure, stage }: Need): PreparationFailure {
  const what = stage === null ? 'Fetching' : 'The stage';
  const code = failure?.code ?? (stage === null ? 'import_cancelled' : 'merge_cancelled');
  const detail = `${what} ${JSON.stringify(reference)} has ${state}${failure ? `: ${failure.detail}` : '.'}`;
  // The documents of stages are parts of the same request: what went wrong in one has its place there.
  const place = stage === null ? pointer : (failure?.pointer ?? pointer);
  return { code, detail, pointer: place, isPassing: false };
}
