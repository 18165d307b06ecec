import { describe, expect, it } from '@jest/globals';
import { ApiProblem, ConnectionLost } from './api-client.js';
import { resuming } from './resuming.js';

const lost = (): ConnectionLost => new ConnectionLost('http://localhost:1', new Error('broken'));

/** Runs a step that fails with each error in turn and then succeeds. */
async function attempts(errors: (Error | undefined)[], progress: (tries: number) => number = () => 0): Promise<number> {
  let tries = 0;
  const step = (): Promise<number> => {
    const error = errors[tries++];
    return error === undefined ? Promise.resolve(tries) : Promise.reject(error);
  };
  return resuming(step, { progress: () => progress(tries), delayMilliseconds: 0, patience: 3 });
}

describe('resuming', () => {
  it('tries again after a broken line and a busy service', async () => {
    expect(await attempts([lost(), new ApiProblem(503, {})])).toBe(3);
  });

  it('gives up after some failures in a row', async () => {
    await expect(attempts([lost(), lost(), lost()])).rejects.toThrow('broken');
  });

  it('never gives up while the work gets on', async () => {
    expect(await attempts(Array.from({ length: 20 }, lost), (tries) => tries)).toBe(21);
  });

  it.each([new ApiProblem(422, { code: 'digest_mismatch' }), new ApiProblem(500, {}), new TypeError('defect')])(
    'does not repeat after %s',
    async (error) => {
      await expect(attempts([error])).rejects.toBe(error);
    },
  );
});
