import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { withinDeadline } from './deadline.js';

describe('work with a deadline', () => {
  test('gives its result, or what it throws, in time', async () => {
    await expect(withinDeadline(1000, 'Adding', Promise.resolve(2))).resolves.toBe(2);
    await expect(withinDeadline(1000, 'Adding', Promise.reject(new Error('no')))).rejects.toThrow('no');
  });

  test('is refused when it is late, with when to come again', async () => {
    const late = withinDeadline(
      10,
      'Adding',
      delay(50).then(() => Promise.reject(new Error('nobody listens'))),
    );
    await expect(late).rejects.toMatchObject({
      code: 'deadline_exceeded',
      message: 'Adding takes longer than 0.01 s; try again.',
      options: { headers: { 'retry-after': '5' } },
    });
    // What it throws afterwards is nobody's business.
    await delay(60);
  });
});
