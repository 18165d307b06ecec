import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../errors.js';

/**
 * The result of work that a client waits for, or a refusal once it has waited long enough. The work itself goes on: what
 * it has read by then makes the next attempt quicker.
 * @throws AppError deadline_exceeded, and what the work throws in time
 */
export async function withinDeadline<T>(milliseconds: number, what: string, work: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const late = delay(milliseconds, undefined, { signal: timer.signal }).then(() => {
    throw new AppError('deadline_exceeded', `${what} takes longer than ${milliseconds / 1000} s; try again.`, {
      headers: { 'retry-after': '5' },
    });
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    timer.abort();
    late.catch(() => undefined);
    work.catch(() => undefined);
  }
}
