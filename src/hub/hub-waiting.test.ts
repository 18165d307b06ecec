import { expect, test } from '@jest/globals';
import { HubError } from './hub-error.js';
import { askedWaitSeconds, patiently } from './hub-waiting.js';

const now = Date.parse('2026-01-02T03:04:05Z');

test.each([
  ['seconds', { 'retry-after': '12' }, 12],
  ['a date', { 'retry-after': 'Fri, 02 Jan 2026 03:04:35 GMT' }, 30],
  ['a date that has passed', { 'retry-after': 'Fri, 02 Jan 2026 03:04:00 GMT' }, 0],
  ['an empty window', { ratelimit: '"api";r=0;t=7' }, 8],
  ['a window with room', { ratelimit: '"api";r=3;t=7' }, undefined],
  ['nothing', {}, undefined],
  ['nonsense', { 'retry-after': 'soon' }, undefined],
])('how long the Hub asks to wait: %s', (_name, headers, seconds) => {
  expect(askedWaitSeconds(headers, now)).toBe(seconds);
});

test('a refusal is final, a fault that passes is not', async () => {
  const { signal } = new AbortController();
  let calls = 0;
  const failing = (status: number, times: number) => (): Promise<string> => {
    calls += 1;
    return calls > times ? Promise.resolve('done') : Promise.reject(new HubError(status, undefined, 'no', 0));
  };
  expect(await patiently(failing(503, 3), { signal })).toBe('done');
  calls = 0;
  await expect(patiently(failing(403, 1), { signal })).rejects.toMatchObject({ status: 403 });
  expect(calls).toBe(1);
});

test('a wait ends at once when it is called off', async () => {
  const abort = new AbortController();
  const waiting = patiently(() => Promise.reject(new HubError(429, undefined, 'busy', 500)), {
    signal: abort.signal,
    onWait: () => abort.abort(new Error('called off')),
  });
  await expect(waiting).rejects.toThrow('called off');
});
