import { EngineError } from '../engine/index.js';
import { AppError } from '../errors.js';
import { type AttemptFailure, WorkerLost } from '../hub/hub-attempts.js';
import { HubError, refusalOf } from '../hub/hub-error.js';
import { StorageError } from '../storage/object-store.js';

/** What to tell the user. Texts of unknown errors stay in the log: they may name hosts, paths and addresses. */
export function failureOf(error: unknown): AttemptFailure {
  if (error instanceof HubError) return failureOf(refusalOf(error));
  if (error instanceof AppError) {
    const { cause } = error;
    const hub = cause instanceof HubError ? cause : undefined;
    const isAway = (hub ?? (cause instanceof StorageError ? cause : undefined))?.isPassing === true;
    const isPassing = isAway || error.code === 'unavailable';
    return { code: error.code, detail: error.message, isPassing, waitSeconds: hub?.waitSeconds };
  }
  if (error instanceof EngineError) return { code: error.code, detail: error.message, isPassing: false };
  if (error instanceof StorageError) return ofStorage(error);
  if (error instanceof WorkerLost) {
    const detail = 'The worker died again and again on this import; it may need more memory than the machine has.';
    return { code: 'worker_lost', detail, isPassing: false };
  }
  const detail = 'The import met an unexpected error; the log has the reason.';
  return { code: 'internal_error', detail, isPassing: true };
}

function ofStorage({ code, message: detail, sourceCode, isPassing }: StorageError): AttemptFailure {
  if (sourceCode) return { code: sourceCode, detail, isPassing };
  const known = code === 'storage_full' ? 'storage_full' : 'unavailable';
  return { code: known, detail, isPassing: code !== 'storage_full' };
}
