import { AppError } from '../errors.js';
import { StorageError } from '../storage/object-store.js';
import { type AttemptFailure, WorkerLost } from '../hub/hub-attempts.js';
import { HubError, refusalOf } from '../hub/hub-error.js';

/** What to tell the user. Texts of unknown errors stay in the log: they may name hosts, paths and addresses. */
export function failureOf(error: unknown): AttemptFailure {
  if (error instanceof HubError) {
    const { code, message: detail } = refusalOf(error);
    const { isPassing, waitSeconds } = error;
    return { code, detail, isPassing, ...(waitSeconds !== undefined && { waitSeconds }) };
  }
  if (error instanceof StorageError) {
    const { code, message: detail, isPassing } = error;
    return { code, detail, isPassing };
  }
  if (error instanceof WorkerLost) {
    const detail = 'The worker died again and again on this publication; it may need more memory than the machine has.';
    return { code: 'worker_lost', detail, isPassing: false };
  }
  if (error instanceof AppError) return { code: error.code, detail: error.message, isPassing: false };
  const detail = 'The publication met an unexpected error; the log has the reason.';
  return { code: 'internal_error', detail, isPassing: true };
}
