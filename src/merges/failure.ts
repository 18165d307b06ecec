import { EngineError } from '../engine/index.js';
import { AppError } from '../errors.js';
import { StorageError } from '../storage/object-store.js';
import type { MergeFailure } from './merges.schema.js';

/** Why an attempt did not come to a result. */
export interface AttemptFailure extends MergeFailure {
  /** Whether the same attempt may succeed later, without anybody doing anything. */
  isPassing: boolean;
}

/** Attempts of one shard before the merge fails, when the fault may pass. */
export const attemptLimit = 4;

/** A shard whose owner dies this often is what kills it. */
export const lossLimit = 5;

export const workerLost: MergeFailure = {
  code: 'worker_lost',
  detail: `The worker died ${lossLimit} times on the same shard; it may need more memory than the machine has.`,
};

/** 2 s, 4 s, 8 s: longer than a connection needs to come back, short enough to stay within a coffee. */
export function backoffSeconds(failures: number): number {
  return 2 ** Math.min(failures, 6);
}

/** What to tell the user. Texts of unknown errors stay in the log: they may name hosts and paths. */
export function failureOf(error: unknown): AttemptFailure {
  if (error instanceof StorageError) {
    const { code, message: detail, isPassing } = error;
    return { code, detail, isPassing };
  }
  const { code } = error as { code?: unknown };
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG' || code === 'storage_full') {
    return { code: 'storage_full', detail: 'There is no space left where the merge is written.', isPassing: false };
  }
  if (error instanceof EngineError || error instanceof AppError) {
    return { code: error.code, detail: error.message, isPassing: false };
  }
  return {
    code: 'internal_error',
    detail: 'The merge met an unexpected error; the log has the reason.',
    isPassing: true,
  };
}
