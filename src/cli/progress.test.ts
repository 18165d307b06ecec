import { describe, expect, it, jest } from '@jest/globals';
import { openProgress } from './progress.js';

function recorder(isTTY: boolean): { stream: NodeJS.WriteStream; text: () => string } {
  let text = '';
  const stream = { isTTY, columns: 100, write: (part: string) => ((text += part), true), on: () => stream };
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => text };
}

describe('progress', () => {
  it('writes at most one line a second into a pipe', async () => {
    const now = jest.spyOn(performance, 'now');
    try {
      const { stream, text } = recorder(false);
      now.mockReturnValue(0);
      const progress = await openProgress({ verb: 'Merging', stream });
      for (let ms = 0; ms <= 2_500; ms += 100) {
        now.mockReturnValue(ms);
        progress.update(ms * 1000, 10_000_000);
      }
      progress.stop();
      expect(text()).toBe(
        'Merging 10%  1.00 MB of 10.0 MB, 1.00 MB/s, 9.0 s left\nMerging 20%  2.00 MB of 10.0 MB, 1.00 MB/s, 8.0 s left\n',
      );
    } finally {
      now.mockRestore();
    }
  });

  it('says nothing when quiet, and is not afraid of an empty merge', async () => {
    const { stream, text } = recorder(false);
    const quiet = await openProgress({ verb: 'Merging', stream, quiet: true });
    quiet.update(1, 2);
    quiet.note('x');
    quiet.stop();
    expect(text()).toBe('');
    const progress = await openProgress({ verb: 'Merging', stream });
    progress.update(0, 0);
    progress.note('x');
    expect(text()).toBe('x\n');
  });
});
