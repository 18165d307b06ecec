/** Why an attempt at a job that speaks to the Hub did not come to a result. */
export interface AttemptFailure {
  code: string;
  detail: string;
  /** Whether the same attempt may succeed later, without anybody doing anything. */
  isPassing: boolean;
  /** What the Hub asks for. */
  waitSeconds?: number | undefined;
}

/** Failures in which nothing was achieved before a job gives up: with the waits below an hour, more than the Hub is away. */
export const failureLimit = 14;
const longestWaitSeconds = 300;

/** 2 s, 4 s, 8 s up to 5 minutes, or what the Hub asks for. */
export function waitSecondsOf(failures: number, { waitSeconds }: AttemptFailure): number {
  return waitSeconds ?? Math.min(2 ** Math.min(failures, 16), longestWaitSeconds);
}

/** A job's worker died again and again, and nothing was achieved between. */
export class WorkerLost extends Error {
  override readonly name = 'WorkerLost';
}
