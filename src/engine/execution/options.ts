import type { Statistic } from '../methods/method.js';
import type { TensorReport } from '../report/tensor-report.js';
import type { MergeThreads } from './merge-threads.js';

export const DEFAULT_CHUNK_BYTES = 1024 * 1024;

export type MergeEvent =
  | { type: 'progress'; readBytes: number; writtenBytes: number; totalWriteBytes: number }
  | { type: 'tensor'; shard: number; tensor: string; statistics: Statistic[]; report: TensorReport }
  | { type: 'shard'; shard: number; file: string; bytes: number; sha256?: string; resumed: boolean };

export interface ExecuteOptions {
  /** Where a file of an input lies on this machine. The same answer for as long as the merge runs. */
  locate(input: number, file: string): string;
  /** Folder of the shard files. A shard that is there already, with the right size, is not computed again. */
  directory: string;
  /**
   * Existing folder in which the reports of finished shards are kept beside them. Without it, a shard that was finished
   * by an earlier attempt has no report; with it, one whose report is missing is computed again.
   */
  reports?: string;
  /** Which shards; all by default. */
  shards?: readonly number[];
  /**
   * Threads that compute, which stay for the next merge; or how many, which end with this one. One for each core by default.
   */
  threads?: number | MergeThreads;
  /** Bytes read at a time from each input, rounded down to whole canonical blocks (at least one). */
  chunkBytes?: number;
  /** SHA-256 of every shard, taken beside the merge. Default true. */
  digests?: boolean;
  /** Called on the calling thread; progress at most ten times a second. */
  onEvent?(event: MergeEvent): void;
  signal?: AbortSignal;
}
