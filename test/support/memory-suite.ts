import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CounterMerge, mergeCounterModels, writeCounterModels } from './counter-merge.js';

const MEGABYTE = 1e6;
const models = (own: string): string =>
  `models: [{ model: a, parameters: ${own} }, { model: b, parameters: ${own} }]\n`;

const recipes = {
  linear: `merge_method: linear\n${models('{ weight: 0.6 }')}`,
  slerp: 'merge_method: slerp\nbase_model: a\nmodels: [{ model: b }]\nparameters: { t: 0.4 }\n',
  ties: `merge_method: ties\nbase_model: base\n${models('{ weight: 0.6, density: 0.4 }')}`,
  della: `merge_method: della\nbase_model: base\n${models('{ weight: 0.6, density: 0.4 }')}`,
};

/** Memory is bounded by configuration, not by the model's size: models of two sizes, out of a counter. */
export function itNeedsNoMoreMemory(
  methods: (keyof typeof recipes)[],
  sizes: readonly [small: number, large: number],
): void {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'amalgam-memory-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it.each(methods)(
    `%s of ${sizes.join(' and ')} GB: at most 400 MB, and within 32 MB of each other`,
    async (method) => {
      const results: CounterMerge[] = [];
      for (const size of sizes) {
        const folder = join(root, String(size));
        writeCounterModels(folder, size * 1e9);
        results.push(await mergeCounterModels(folder, recipes[method]));
      }
      const [small, large] = results;
      expect(small?.writtenBytes).toBeGreaterThan(0.8e9 * sizes[0]);
      expect(large?.writtenBytes).toBeGreaterThan(0.9e9 * sizes[1]);
      for (const { sha256 } of results) for (const digest of sha256) expect(digest).toMatch(/^[0-9a-f]{64}$/);
      const peaks = results.map(({ peakBytes }) => peakBytes / MEGABYTE);
      process.stderr.write(`${method}: ${peaks.map((peak) => peak.toFixed(0)).join(' and ')} MB\n`);
      expect(Math.max(...peaks)).toBeLessThanOrEqual(400);
      expect(Math.abs((peaks[0] ?? 0) - (peaks[1] ?? 0))).toBeLessThanOrEqual(32);
    },
  );
}
