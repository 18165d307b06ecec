import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { correlation, MaskFolder, normalProbability, pairsBelow, zScore } from './masks.js';
import { Random } from './random.js';

/** How much is drawn: little in every run of the tests, all of it in the soak. */
export interface MaskCounts {
  seeds: number;
  rows: number;
  columns: number;
  pairs: number;
}

const DENSITIES = [0.1, 0.5, 0.9];
/** Draws within five and a half standard deviations: less than once in 10 million. */
const WIDEST = 5.5;

/** What is promised of random masks: as likely as they should be, and independent of each other. */
export function describeMasks({ seeds, rows, columns, pairs }: MaskCounts): void {
  const elements = rows * columns;
  let folder: MaskFolder;

  beforeAll(() => {
    const random = new Random(11);
    const values = Float64Array.from({ length: elements }, () => random.normal() || 1);
    const tensor = { values, shape: [rows, columns] };
    folder = new MaskFolder({ first: tensor, second: tensor });
  });
  afterAll(() => folder.remove());

  describe('DARE', () => {
    it.each(DENSITIES)('keeps a share of %d, as often off as chance would have it', async (density) => {
      const scores: number[] = [];
      for (let seed = 0; seed < seeds; seed++) {
        const masks = await folder.draw({ method: 'dare_linear', parameters: { density }, seed });
        for (const each of masks.values()) scores.push(...each.map((mask) => zScore(mask, density)));
      }
      expect(Math.max(...scores.map(Math.abs))).toBeLessThan(WIDEST);
      expect(normalProbability(scores)).toBeGreaterThan(1e-4);
    });

    it('draws other masks for another model, tensor or seed', async () => {
      const masks: Uint8Array[] = [];
      for (let seed = 0; seed < seeds; seed++) {
        const drawn = await folder.draw({ method: 'dare_linear', parameters: { density: 0.5 }, seed });
        masks.push(...[...drawn.values()].flat());
      }
      const random = new Random(13);
      for (const [a, b] of pairsBelow(masks.length, pairs, () => random.next())) {
        const [first = new Uint8Array(0), second = new Uint8Array(0)] = [masks[a], masks[b]];
        expect(Math.abs(correlation(first, second))).toBeLessThan(WIDEST / Math.sqrt(elements));
      }
    });

    it('draws the same mask with other numbers of threads', async () => {
      const request = { method: 'dare_linear', parameters: { density: 0.3 }, seed: 5 } as const;
      const one = await folder.draw({ ...request, threads: 1 });
      for (const threads of [2, 3]) expect(await folder.draw({ ...request, threads })).toEqual(one);
    });
  });

  describe('DELLA', () => {
    it.each([
      { density: 0.5, epsilon: 0.3 },
      { density: 0.2, epsilon: 0.15 },
      // More than there is room for: it goes from 0.8 to 1.
      { density: 0.9, epsilon: 0.15 },
    ])('keeps an element of each rank as often as its formula says, %j', async ({ density, epsilon }) => {
      const spread = Math.min(epsilon, density, 1 - density);
      const kept = new Float64Array(columns);
      const order = folder.ranks('first', columns);
      for (let seed = 0; seed < seeds; seed++) {
        const masks = await folder.draw({ method: 'della_linear', parameters: { density, epsilon }, seed });
        const [mask = new Uint8Array(0)] = masks.get('first') ?? [];
        order.forEach((rank, i) => (kept[rank] = (kept[rank] ?? 0) + (mask[i] ?? 0)));
      }
      const trials = seeds * rows;
      const scores = Array.from(kept, (count, rank) => {
        const probability = density - spread + (2 * spread * rank) / (columns - 1);
        const deviation = Math.sqrt(trials * probability * (1 - probability));
        return deviation < 3 ? 0 : (count - trials * probability) / deviation;
      });
      expect(Math.max(...scores.map(Math.abs))).toBeLessThan(WIDEST);
      expect(normalProbability(scores.filter((score) => score !== 0))).toBeGreaterThan(1e-4);
    });

    it('draws the same mask with other numbers of threads', async () => {
      const request = { method: 'della_linear', parameters: { density: 0.3 }, seed: 5 } as const;
      const one = await folder.draw({ ...request, threads: 1 });
      for (const threads of [2, 3]) expect(await folder.draw({ ...request, threads })).toEqual(one);
    });
  });
}
