import { setTimeout as sleep } from 'node:timers/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { HubError } from './hub-error.js';

/** Retries of one call: with the waits below about two minutes, after which the whole attempt is given back. */
const retries = 6;
const firstWaitMs = 500;
const longestWaitMs = 30_000;
/** A wait that the Hub itself asks for: its windows have five minutes. */
const longestAskedSeconds = 600;

/** Calls back before each wait, with what happened. */
export type OnWait = (error: HubError, seconds: number) => void;

/**
 * Does something again while the Hub is away, busy or asks to wait; other refusals are final.
 * @throws HubError the last one; what the signal aborts with
 */
export async function patiently<T>(
  work: () => Promise<T>,
  { signal, onWait }: { signal: AbortSignal; onWait?: OnWait | undefined },
): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof HubError) || !error.isPassing || attempt >= retries) throw error;
      const milliseconds = waitMs(attempt, error);
      onWait?.(error, Math.ceil(milliseconds / 1_000));
      await sleep(milliseconds, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}

function waitMs(attempt: number, { waitSeconds }: HubError): number {
  if (waitSeconds !== undefined) return Math.min(waitSeconds, longestAskedSeconds) * 1_000;
  // Half of it by chance, so that many who were refused at once do not return at once.
  return Math.min(firstWaitMs * 2 ** attempt, longestWaitMs) * (0.5 + Math.random() / 2);
}

/**
 * How long an answer asks to wait: `Retry-After` in seconds or as a date, else `RateLimit: "api";r=0;t=12`, whose window
 * ends within that second and not before.
 */
export function askedWaitSeconds(headers: IncomingHttpHeaders, now: number = Date.now()): number | undefined {
  const { 'retry-after': retryAfter, ratelimit } = headers;
  if (retryAfter !== undefined) {
    if (/^\d{1,9}$/.test(retryAfter.trim())) return Number(retryAfter);
    const at = Date.parse(retryAfter);
    if (!Number.isNaN(at)) return Math.max(0, Math.ceil((at - now) / 1_000));
  }
  const text = Array.isArray(ratelimit) ? ratelimit.join() : ratelimit;
  const [, remaining, seconds] = /;\s*r=(\d{1,9})\s*;\s*t=(\d{1,9})/.exec(text ?? '') ?? [];
  return remaining === '0' && seconds !== undefined ? Number(seconds) + 1 : undefined;
}
