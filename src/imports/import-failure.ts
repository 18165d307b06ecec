import { EngineError } from '../engine/index.js';
import { AppError } from '../errors.js';
import { HubError, refusalOf } from '../hub/hub-error.js';
import { StorageError } from '../storage/object-store.js';
import type { ImportFailure } from './imports.schema.js';

export interface AttemptFailure extends ImportFailure {
  /** Whether the same attempt may succeed later, without anybody doing anything. */
  isPassing: boolean;
  waitSeconds?: number | undefined;
}

/** Failures without a finished file before an import gives up: with the waits below an hour, more than the Hub is away. */
export const failureLimit = 14;
const longestWaitSeconds = 300;

/** 2 s, 4 s, 8 s up to 5 minutes, or what the Hub asks for. */
export function waitSecondsOf(failures: number, { waitSeconds }: AttemptFailure): number {
  return waitSeconds ?? Math.min(2 ** Math.min(failures, 16), longestWaitSeconds);
}

/** Its worker died again and again, and nothing was achieved between. */
export class ImportWorkerLost extends Error {
  override readonly name = 'ImportWorkerLost';
}

/** What to tell the user. Texts of unknown errors stay in the log: they may name hosts, paths and addresses. */
export function failureOf(error: unknown): AttemptFailure {
  if (error instanceof HubError) return failureOf(refusalOf(error));
  if (error instanceof AppError) {
    const { cause } = error;
    const hub = cause instanceof HubError ? cause : undefined;
    const isPassing = hub?.isPassing === true || error.code === 'unavailable';
    return { code: error.code, detail: error.message, isPassing, waitSeconds: hub?.waitSeconds };
  }
  if (error instanceof EngineError) return { code: error.code, detail: error.message, isPassing: false };
  if (error instanceof StorageError) {
    const { code, message } = error;
    const isOurs = code === 'storage_full' || code === 'storage_unavailable';
    const known = code === 'storage_full' ? 'storage_full' : 'unavailable';
    return { code: known, detail: message, isPassing: !isOurs || code === 'storage_unavailable' };
  }
  if (error instanceof ImportWorkerLost) {
    const detail = 'The worker died again and again on this import; it may need more memory than the machine has.';
    return { code: 'worker_lost', detail, isPassing: false };
  }
  const detail = 'The import met an unexpected error; the log has the reason.';
  return { code: 'internal_error', detail, isPassing: true };
}
