import { AppError } from '../errors.js';
import { StorageError } from '../storage/object-store.js';
import { HubError, refusalOf } from '../hub/hub-error.js';
import type { PublicationFailure } from './publications.schema.js';

export interface AttemptFailure extends PublicationFailure {
  /** Whether the same attempt may succeed later, without anybody doing anything. */
  isPassing: boolean;
  waitSeconds?: number;
}

/** Failures without any progress before a publication gives up: with the waits below an hour, more than the Hub is away. */
export const failureLimit = 14;
const longestWaitSeconds = 300;

/** 2 s, 4 s, 8 s up to 5 minutes, or what the Hub asks for. */
export function waitSecondsOf(failures: number, { waitSeconds }: AttemptFailure): number {
  return waitSeconds ?? Math.min(2 ** Math.min(failures, 16), longestWaitSeconds);
}

/** Its worker died again and again, and nothing was achieved between. */
export class WorkerLost extends Error {
  override readonly name = 'WorkerLost';
}

/** What to tell the user. Texts of unknown errors stay in the log: they may name hosts, paths and addresses. */
export function failureOf(error: unknown): AttemptFailure {
  if (error instanceof HubError) {
    const { code, message: detail } = refusalOf(error);
    const { isPassing, waitSeconds } = error;
    return { code, detail, isPassing, ...(waitSeconds !== undefined && { waitSeconds }) };
  }
  if (error instanceof StorageError) {
    return { code: error.code, detail: error.message, isPassing: error.code === 'storage_unavailable' };
  }
  if (error instanceof WorkerLost) {
    const detail = 'The worker died again and again on this publication; it may need more memory than the machine has.';
    return { code: 'worker_lost', detail, isPassing: false };
  }
  if (error instanceof AppError) return { code: error.code, detail: error.message, isPassing: false };
  const detail = 'The publication met an unexpected error; the log has the reason.';
  return { code: 'internal_error', detail, isPassing: true };
}
