import { setTimeout as sleep } from 'node:timers/promises';
import { ApiProblem, ConnectionLost } from './api-client.js';

export interface ResumeOptions {
  /** Grows while the work gets on; as long as it does, a broken line never counts as the last try. */
  progress(): number;
  /** Called before each new try. */
  onRetry?(error: Error): void;
  /** Milliseconds before the first new try; doubled each time. Default 200. */
  delayMilliseconds?: number;
  /** Failures in a row without progress before the error is thrown. Default 6 (some 12 seconds). */
  patience?: number;
  signal?: AbortSignal;
}

/** Repeats a step that a broken line or a busy service ended. @throws what the step throws for other reasons */
export async function resuming<T>(step: () => Promise<T>, options: ResumeOptions): Promise<T> {
  const { delayMilliseconds = 200, patience = 6 } = options;
  let failures = 0;
  let reached = options.progress();
  for (;;) {
    try {
      return await step();
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (options.progress() > reached) failures = 0;
      reached = options.progress();
      failures++;
      if (failures >= patience) throw error;
      options.onRetry?.(error);
      await sleep(delayMilliseconds * 2 ** (failures - 1), undefined, options.signal && { signal: options.signal });
    }
  }
}

/** Of the service's own refusals only these say "not now". */
function isPassing(error: unknown): error is ConnectionLost | ApiProblem {
  if (error instanceof ConnectionLost) return true;
  return error instanceof ApiProblem && (error.status >= 502 || error.status === 408 || error.status === 429);
}
