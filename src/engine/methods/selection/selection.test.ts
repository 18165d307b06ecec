import { describe, expect, test } from '@jest/globals';
import { Arena } from '../../execution/workspace.js';
import { compileKernels } from '../../kernels/kernels.js';
import { BLOCK_ELEMENTS, type MergeOperation, type Statistic, type Walk } from '../method.js';
import type { Selection } from './rank.js';
import { selection, thresholds } from './selection.js';

// Long enough to be sampled, with a part of a block at its end.
const ELEMENTS = 400_003;
/** Of tensors whose sample is all of them: the first few need no further pass. */
const SMALL = [1, 6, 511, 4096, 4097, 131_072];
const module = compileKernels();

/** An operation as far as a selection looks at it. */
const over = (elements: number): MergeOperation => ({ work: 'F32', elements }) as MergeOperation;

/** What the engine does with a tensor that `ranges` threads share, over a base of zeros. */
function select(deltas: Float32Array, selected: Selection, ranges: number): Statistic[] {
  const arena = new Arena(module);
  const operation = over(deltas.length);
  const blocks = Math.ceil(deltas.length / BLOCK_ELEMENTS / ranges) * BLOCK_ELEMENTS;
  const found: Statistic[] = [];
  while (!selection.isComplete(found)) {
    const walk = selection.walk(operation, selected, found);
    const partials = Array.from({ length: ranges }, (_unused, range) => {
      arena.reset();
      const [base, x] = [arena.reserve(BLOCK_ELEMENTS * 4), arena.reserve(BLOCK_ELEMENTS * 4)];
      const gatherer = selection.gather(operation, selected, found, arena.workspace('F32'));
      for (const [first, count] of pieces(walk, range * blocks, Math.min((range + 1) * blocks, deltas.length))) {
        new Float32Array(arena.memory.buffer, base, count).fill(0);
        new Float32Array(arena.memory.buffer, x, count).set(deltas.subarray(first, first + count));
        gatherer.block({ first, count, inputs: [base, x], output: 0 });
      }
      return structuredClone(copied(gatherer.partial()));
    });
    arena.reset();
    found.push(selection.combine(operation, selected, found, partials, arena.workspace('F32')));
  }
  return found;
}

function copied(statistic: Statistic): Statistic {
  const entries = Object.entries(statistic).map(([key, value]) => [
    key,
    ArrayBuffer.isView(value) ? value.slice() : value,
  ]);
  return Object.fromEntries(entries) as Statistic;
}

function* pieces({ size, stride, section }: Walk, from: number, to: number): Generator<[number, number]> {
  const whole = section ?? { size: to - from, stride: to - from };
  const first = section === undefined ? from : Math.floor(from / whole.stride) * whole.stride;
  for (let start = first; start < to; start += whole.stride) {
    const end = Math.min(start + whole.size, to);
    for (let at = Math.max(start, from); at < end; at += stride) yield [at, Math.min(size, end - at)];
  }
}

const bits = new DataView(new ArrayBuffer(4));
function keyOf(value: number): number {
  bits.setFloat32(0, value);
  return bits.getUint32(0) & 0x7fff_ffff;
}

/** A generator that is the same everywhere. */
function uniform(i: number): number {
  let x = Math.imul(i ^ 0x9e37_79b9, 0x85eb_ca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2_ae35);
  return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
}

function misleading(i: number): number {
  return i % 512 < 64 ? 1 + uniform(i) : uniform(i) / 2;
}

const shapes: Record<string, (i: number) => number> = {
  'spread evenly': (i) => uniform(i) - 0.5,
  'of few sizes': (i) => Math.round(uniform(i) * 20 - 10) / 256,
  'nearly all zero': (i) => (uniform(i) < 0.97 ? 0 : uniform(i + 7) - 0.5),
  'all the same': () => -0.125,
  'all zero': () => 0,
  'of sixty orders of magnitude': (i) => 10 ** (uniform(i) * 60 - 30),
  'growing along the tensor': (i) => i / ELEMENTS,
  'larger just where the sample looks': misleading,
  'with infinities and NaN': (i) => (uniform(i) < 0.01 ? Infinity : uniform(i) < 0.02 ? NaN : uniform(i)),
};

/** Selects from few to all of the elements. @param rangeCounts in how many ranges */
function expectThresholds(deltas: Float32Array, rangeCounts: readonly number[]): void {
  const keys = Uint32Array.from(deltas, keyOf).sort().reverse();
  const shares = [0.01, 0.5, 0.99].map((share) => Math.ceil(share * deltas.length));
  for (const keep of new Set([1, ...shares, deltas.length])) {
    const expected = keys[keep - 1] ?? 0;
    const larger = keys.findIndex((key) => key <= expected);
    for (const ranges of rangeCounts) {
      const found = select(deltas, { ranks: [{ model: 0, keep }], sums: false }, ranges);
      const limits = Array.from({ length: ranges }, (_unused, range) => thresholds(found, range)[0]);
      expect(limits.map((limit) => limit?.key)).toEqual(limits.map(() => BigInt(expected)));
      const quota = limits.reduce((sum, limit) => sum + (limit?.quota ?? 0), 0);
      // Of equal ones as many as fit; zeros are the same kept or not, and are not counted.
      expect(quota).toBe(expected === 0 ? quota : keep - larger);
    }
  }
}

describe('the k-th largest magnitude of a task vector', () => {
  test.each(Object.entries(shapes))('%s', (_name, shape) => {
    expectThresholds(
      Float32Array.from({ length: ELEMENTS }, (_unused, i) => shape(i)),
      [1, 3],
    );
    for (const length of SMALL)
      expectThresholds(
        Float32Array.from({ length }, (_unused, i) => shape(i)),
        [1],
      );
  });

  test('several ranks of one model, with the share of the norm that each keeps', () => {
    const deltas = Float32Array.from({ length: ELEMENTS }, (_unused, i) => uniform(i) - 0.5);
    const magnitudes = Array.from(deltas, Math.abs).sort((a, b) => b - a);
    const total = magnitudes.reduce((sum, magnitude) => sum + magnitude, 0);
    const ranks = [20_000, 300_000].map((keep) => ({ model: 0, keep }));
    const limits = thresholds(select(deltas, { ranks, sums: true }, 2), 0);
    ranks.forEach(({ keep }, i) => {
      const kept = magnitudes.slice(0, keep).reduce((sum, magnitude) => sum + magnitude, 0);
      expect(limits[i]?.key).toBe(BigInt(keyOf(magnitudes[keep - 1] ?? 0)));
      expect((limits[i]?.total ?? 0) / (limits[i]?.kept ?? 0)).toBeCloseTo(total / kept, 9);
    });
  });

  test('from a sample that is no larger of an embedding than of a matrix', () => {
    const sampled = [2 ** 24, 2 ** 27, 2 ** 30, 1.3e10].map((elements) => {
      const { size, stride, section } = selection.walk(over(elements), { ranks: [], sums: false }, []);
      expect((section?.stride ?? 0) % BLOCK_ELEMENTS).toBe(0);
      return (Math.ceil(elements / (section?.stride ?? 1)) * (section?.size ?? 0) * size) / stride;
    });
    for (const count of sampled) expect(count).toBeLessThanOrEqual(2 ** 18);
    for (const count of sampled) expect(count).toBeGreaterThan(2 ** 17);
  });

  test('needs a sample and one more pass, unless the sample misleads', () => {
    const count = (shape: (i: number) => number): number => {
      const deltas = Float32Array.from({ length: ELEMENTS }, (_unused, i) => shape(i));
      return select(deltas, { ranks: [{ model: 0, keep: 200_000 }], sums: false }, 1).length;
    };
    expect(count((i) => uniform(i) - 0.5)).toBe(2);
    expect(count(misleading)).toBe(4);
  });
});
