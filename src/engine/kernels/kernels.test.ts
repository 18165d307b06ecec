import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { HEAP_START, type Kernels, compileKernels, instantiateKernels } from './kernels.js';
import { scalarKernels } from './scalar.js';
import { windowBytes } from '../methods/selection/counters.js';

const module = compileKernels();
const memory = new WebAssembly.Memory({ initial: 64, maximum: 1024 });
const twinMemory = new WebAssembly.Memory({ initial: 64, maximum: 1024 });
const simd = instantiateKernels(module, memory);
const scalar = scalarKernels(twinMemory);

// Buffers far enough apart that padding never meets: up to 4,096 elements of 8 bytes each, then a histogram.
const [A, B, C, D] = [0, 1, 2, 3].map((slot) => HEAP_START + slot * 65_536) as [number, number, number, number];
const COUNTS = HEAP_START + 4 * 65_536;
const END = COUNTS + windowBytes(65_536);
/** Results that may overwrite none of the buffers above. */
const E = END;

type Name = Exclude<keyof Kernels, 'acos' | 'cos' | 'exp' | 'sin'>;
type Element = 'u16' | 'f32' | 'f64' | 'u32';
const BYTES = { u16: 2, f32: 4, f64: 8, u32: 4 } as const;

/** Runs both twins on the same bytes and compares what they return and every buffer, NaNs by being NaN. */
function expectEqual(
  name: Name,
  args: unknown[],
  bytes: Uint8Array,
  results: [number, Element][],
  n: number,
  table?: Uint8Array,
): void {
  for (const target of [memory, twinMemory]) {
    const view = new Uint8Array(target.buffer, HEAP_START, END - HEAP_START);
    const given = bytes.subarray(0, COUNTS - HEAP_START);
    view.set(given);
    view.fill(0, given.length);
    if (table !== undefined) view.set(table, COUNTS - HEAP_START);
  }
  const call = (kernels: object): unknown =>
    (kernels as Record<string, (...all: unknown[]) => unknown>)[name]?.(...args);
  const [mine, twin] = [call(simd), call(scalar)];
  const returned = typeof mine === 'number' && /^(trim|clear)/.test(name) ? mine >>> 0 : mine;
  // An assertion costs more than most kernels, and there are a hundred thousand calls.
  if (!Object.is(returned, twin)) expect(returned).toEqual(twin);
  for (const [pointer, element] of results) {
    const [own, other] = [memory, twinMemory].map(({ buffer }) => Buffer.from(buffer, pointer, n * BYTES[element]));
    // Only where bytes differ (NaN payloads, or a defect) is it worth looking at single elements.
    if (own !== undefined && other !== undefined && own.equals(other)) continue;
    expect(elements(memory, pointer, element, n)).toEqual(elements(twinMemory, pointer, element, n));
  }
}

function elements(
  source: WebAssembly.Memory,
  pointer: number,
  element: Element,
  n: number,
): (number | bigint | 'NaN')[] {
  const view = new DataView(source.buffer);
  return Array.from({ length: n }, (_unused, i) => {
    if (element === 'u16') return view.getUint16(pointer + 2 * i, true);
    if (element === 'u32') return view.getUint32(pointer + 4 * i, true);
    if (element === 'f32') {
      return Number.isNaN(view.getFloat32(pointer + 4 * i, true)) ? 'NaN' : view.getUint32(pointer + 4 * i, true);
    }
    return Number.isNaN(view.getFloat64(pointer + 8 * i, true)) ? 'NaN' : view.getBigUint64(pointer + 8 * i, true);
  });
}

/** Entries of consensus.ts: address, weight of the vote, share, coefficient. */
function electionTable(
  element: 'f32' | 'f64',
  deltas: number[],
  weights: number[],
  isFlipped = (weight: number): boolean => weight < 0,
): Uint8Array {
  const view = new DataView(new ArrayBuffer(40 * deltas.length));
  deltas.forEach((delta, m) => {
    const weight = weights[m] ?? 0;
    view.setUint32(40 * m, delta, true);
    view.setFloat64(40 * m + 8, weight * 1.5, true);
    view.setFloat64(40 * m + 16, weight, true);
    if (element === 'f32') view.setFloat32(40 * m + 4, weight * 0.7, true);
    else view.setFloat64(40 * m + 24, weight * 0.7, true);
    view.setFloat32(40 * m + 32, weight, true);
    view.setUint32(40 * m + 36, isFlipped(weight) ? 0x8000_0000 : 0, true);
  });
  return new Uint8Array(view.buffer);
}

/** Settings of pair.ts: key and quota of either threshold, the same for both models; coefficients follow from `c`. */
function pairSettings(
  [least, quota, most, removed]: readonly [number, number, number, number],
  [first, second]: readonly [number, number],
  margin: number,
  c: number,
): Uint8Array {
  const view = new DataView(new ArrayBuffer(80));
  // Any bits will do for masks.
  view.setUint32(72, D, true);
  view.setUint32(76, D + 128, true);
  for (const at of [0, 24]) {
    view.setInt32(at, least, true);
    view.setUint32(at + 4, quota, true);
    view.setInt32(at + 8, most, true);
    view.setUint32(at + 12, removed, true);
    view.setFloat32(at + 16, c, true);
    view.setFloat32(at + 20, 0.7 + at / 100, true);
  }
  view.setFloat32(48, second / first, true);
  view.setFloat32(52, margin, true);
  view.setFloat64(56, first, true);
  view.setFloat64(64, second, true);
  return new Uint8Array(view.buffer);
}

/** The upper halves of the f32 in every buffer, one behind the other: bf16 of the same values, truncated. */
function brainsOf(bytes: Uint8Array): Uint8Array {
  const brains = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at += 65_536) {
    const singles = new Uint32Array(bytes.buffer, at, 16_384);
    new Uint16Array(brains.buffer, at, 16_384).set(singles.map((bits) => bits >>> 16));
  }
  return brains;
}

/** Entries of agreement.ts: address, factor of what one model alone changed. */
function agreementTable(inputs: number[], factors: number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(64 * inputs.length));
  inputs.forEach((input, m) => {
    view.setUint32(64 * m, input, true);
    view.setFloat32(64 * m + 4, factors[m] ?? 1, true);
    view.setFloat64(64 * m + 8, factors[m] ?? 1, true);
  });
  return new Uint8Array(view.buffer);
}

const SPECIAL = [
  0,
  -0,
  1,
  -1,
  Infinity,
  -Infinity,
  NaN,
  2 ** -149,
  -(2 ** -149),
  2 ** -126,
  65504,
  65520,
  6e-8,
  2 ** -25,
];

/** A and B, B a little different. */
function rowsOf(element: 'f32' | 'f64', at: (i: number) => number): Uint8Array {
  const bytes = new Uint8Array(COUNTS - HEAP_START);
  const Row = element === 'f32' ? Float32Array : Float64Array;
  for (const slot of [0, 1]) {
    const values = Array.from({ length: 1024 }, (_unused, i) => at(i) + (slot * 0.01 * (i % 7)) / (1 + (i % 90)));
    new Row(bytes.buffer, slot * 65_536, 1024).set(values);
  }
  return bytes;
}

function fill(values: number[], element: 'f32' | 'f64', seed: number): Uint8Array {
  const bytes = new Uint8Array(COUNTS - HEAP_START);
  const view = new DataView(bytes.buffer);
  for (const slot of [0, 1, 2, 3]) {
    values.forEach((_unused, i) => {
      const value = values[(i * (slot + 1) + slot * seed) % values.length] ?? 0;
      if (element === 'f32' && slot < 3) view.setFloat32(slot * 65_536 + 4 * i, value, true);
      else view.setFloat64(slot * 65_536 + 8 * i, value, true);
    });
  }
  return bytes;
}

const single = fc.oneof(fc.constantFrom(...SPECIAL), fc.float());
const double = fc.oneof(fc.constantFrom(...SPECIAL), fc.double());
const coefficient = fc.oneof(fc.constantFrom(0, 1, -1, 0.3, -0.7), fc.float({ noNaN: true, noDefaultInfinity: true }));

describe('SIMD kernels equal their scalar twins, at every length of tail', () => {
  const run = (element: 'f32' | 'f64', check: (bytes: Uint8Array, n: number, c: number) => void): void => {
    const value = element === 'f32' ? single : double;
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 70 }), fc.nat(50), coefficient, (values, seed, c) =>
        check(fill(values, element, seed), values.length, c),
      ),
      { numRuns: 150 },
    );
  };

  const rowsWithin = (n: number): number[] => [1, 5, 9, 16, n].filter((row) => row <= n);

  for (const element of ['f32', 'f64'] as const) {
    const T = element === 'f32' ? 'F32' : 'F64';
    const key = (value: number): number | bigint => (element === 'f32' ? value >>> 0 : BigInt(value >>> 0) << 32n);

    test(`elementwise arithmetic, ${element}`, () => {
      run(element, (bytes, n, c) => {
        expectEqual(`scale${T}`, [A, B, c, n], bytes, [[A, element]], n);
        expectEqual(`addScaled${T}`, [A, B, c, n], bytes, [[A, element]], n);
        expectEqual(`addScaledDelta${T}`, [A, B, C, c, n], bytes, [[A, element]], n);
        expectEqual(`subtract${T}`, [A, B, C, n], bytes, [[A, element]], n);
        expectEqual(`keepLarger${T}`, [A, B, C, n], bytes, [[A, element]], n);
        expectEqual(`add${T}`, [A, B, n], bytes, [[A, element]], n);
        for (const t of [c, 1e-7, 0.01]) expectEqual(`nearswap${T}`, [A, B, C, t, n], bytes, [[A, element]], n);
        expectEqual(`multiply${T}`, [A, B, C, n], bytes, [[A, element]], n);
        expectEqual(`addProduct${T}`, [A, B, C, n], bytes, [[A, element]], n);
      });
    });

    test(`reductions, ${element}`, () => {
      run(element, (bytes, n) => {
        expectEqual(`gram${T}`, [A, B, COUNTS, n], bytes, [[COUNTS, 'f64']], 3);
        expectEqual(`sumSquares${T}`, [A, n], bytes, [], n);
        expectEqual(`gramDeltas${T}`, [A, B, C, COUNTS, n], bytes, [[COUNTS, 'f64']], 3);
        expectEqual(`sumMagnitudes${T}`, [A, B, key(0x3f80_0000), n], bytes, [], n);
        expectEqual(`sumMagnitudes${T}`, [A, B, key(0), n], bytes, [], n);
      });
    });

    test(`sign election, ${element}`, () => {
      run(element, (bytes, n, c) => {
        for (const negligible of [-1, 0, 1e-12, 0.6]) {
          const table = electionTable(element, [A, B, C], [c, 0.5, -c]);
          for (const models of [1, 2, 3]) {
            const args = [D, C, COUNTS, models, negligible, n];
            expectEqual(element === 'f32' ? 'electMixedF32' : 'electF64', args, bytes, [[D, element]], n, table);
            const unweighted = electionTable(element, [A, B, C], [c, 0.5, -c], () => false);
            expectEqual(element === 'f32' ? 'electMixedF32' : 'electF64', args, bytes, [[D, element]], n, unweighted);
            if (element === 'f64') continue;
            const ofOneSign = electionTable(element, [A, B, C], [c, c * 0.3, c * 1.7]);
            expectEqual('electF32', args, bytes, [[D, element]], n, ofOneSign);
          }
        }
      });
    });

    test(`changes of one model and of several, ${element}`, () => {
      run(element, (bytes, n, c) => {
        for (const epsilon of [0, 0.6, 1]) {
          const table = agreementTable([A, B, D], [1, c, 1.1]);
          for (const models of [1, 2, 3]) {
            const merged: [number, Element][] = [[E, element]];
            expectEqual(`mergeActive${T}`, [E, C, COUNTS, models, epsilon, n], bytes, merged, n, table);
            const counts = Array.from({ length: models }, (_unused, m) => COUNTS + 64 * m + 16);
            const results = counts.map((at): [number, Element] => [at, 'f64']);
            expectEqual(`countActive${T}`, [C, COUNTS, models, epsilon, n], bytes, results, 2, table);
          }
        }
      });
    });

    test(`variances across models, and what they select, ${element}`, () => {
      run(element, (bytes, n) => {
        const table = new Uint8Array(Uint32Array.of(A, B, C, B).buffer);
        for (const models of [1, 2, 3, 4]) {
          expectEqual(`variance${T}`, [E, COUNTS, models, n], bytes, [[E, element]], n, table);
        }
        expectEqual(`keepWhere${T}`, [A, B, n], bytes, [[A, element]], n);
      });
    });

    test(`the divergence of two rows, ${element}`, () => {
      run(element, (bytes, n) => {
        expectEqual(`divergence${T}`, [A, B, E, n], bytes, [], n);
        expectEqual(`divergence${T}`, [A, A, E, n], bytes, [], n);
      });
      // Near each other, as far as f32 can be from 0, and where sums of exponentials are no f64.
      for (const [scale, offset] of [
        [0.04, 1],
        [0.001, -0.5],
        [30, 0],
        [900, 600],
        [0.01, -1e6],
      ] as const) {
        // prettier-ignore
        const rows = rowsOf(element, (i) => offset + scale * (((i * 7919) % 997) / 997));
        for (const n of [1, 2, 3, 4, 7, 997]) expectEqual(`divergence${T}`, [A, B, E, n], rows, [], n);
        if (element === 'f64') continue;
        for (const n of [1, 5, 6, 997]) expectEqual('divergenceBF16', [A, B, E, n], brainsOf(rows), [], n);
      }
    });

    test(`taking what scores enough, ${element}`, () => {
      run(element, (bytes, n, c) => {
        for (const least of [0, 1, 0x3f80_0000, 0x7f80_0000, 0x7fff_ffff]) {
          expectEqual(`takeScored${T}`, [E, A, B, c, key(least), n], bytes, [[E, element]], n);
          if (element === 'f64') continue;
          for (const row of rowsWithin(n)) {
            const whole = n - (n % row);
            expectEqual('takeScoredBF16', [E, A, B, C, row, least, whole], brainsOf(bytes), [[E, 'u16']], whole);
          }
          expectEqual('scaleDeltaBF16', [E, A, B, c, n], brainsOf(bytes), [[E, 'f32']], n);
        }
      });
    });

    test(`trimming to the largest, ${element}`, () => {
      run(element, (bytes, n) => {
        for (const quota of [0, 1, 3, 9]) {
          expectEqual(`trim${T}`, [A, B, key(0x3f80_0000), quota, n], bytes, [[A, element]], n);
          expectEqual(`trim${T}`, [A, B, key(0), quota, n], bytes, [[A, element]], n);
        }
      });
    });

    test(`clearing the largest, ${element}`, () => {
      run(element, (bytes, n) => {
        for (const quota of [0, 1, 3, 9]) {
          expectEqual(`clearLargest${T}`, [A, key(0x3f80_0000), quota, n], bytes, [[A, element]], n);
          expectEqual(`clearLargest${T}`, [A, key(0), quota, n], bytes, [[A, element]], n);
        }
      });
    });
  }

  test('counting the keys of a window', () => {
    run('f32', (bytes, n) => {
      for (const [low, width] of [
        [0x3f80_0000, 65_536],
        [0x3f70_0000, 60_000],
        [1, 65_535],
        [0x7f80_0000, 2],
        [0x3f80_0000, 1],
        [0x3f7f_fffd, 67],
      ] as const) {
        expectEqual('countWindowF32', [A, B, low, width, COUNTS, n], bytes, [[COUNTS, 'u32']], windowBytes(width) / 4);
        expectEqual('countScatteredF32', [A, low, width, COUNTS, n], bytes, [[COUNTS, 'u32']], windowBytes(width) / 4);
      }
    });
  }, 60_000);

  test('counting the keys of scores in three windows', () => {
    const bytesOf = windowBytes(20_000);
    run('f32', (bytes, n) => {
      const brains = brainsOf(bytes);
      [0x3f70_0000, 0x3f80_0000, 1].forEach((low, i) => {
        const entry = [low, 20_000, COUNTS + i * bytesOf, 0, i, 0];
        new Uint32Array(brains.buffer, D - HEAP_START + 24 * i, 6).set(entry);
      });
      if (n % 2 === 0) new Float32Array(brains.buffer, C - HEAP_START, n).fill(1);
      for (const row of rowsWithin(n)) {
        const args = [A, B, C, row, D, n - (n % row)];
        expectEqual('countScoresBF16', args, brains, [[COUNTS, 'u32'], [D, 'u32']], (3 * bytesOf) / 4); // prettier-ignore
      }
    });
  }, 60_000);

  test('pairs of task vectors, as bf16 and decoded', () => {
    const limits = [0, 0x3f80_0000, 0x4000_0000, 0x7fff_ffff, -1];
    run('f32', (bytes, n, c) => {
      const brains = brainsOf(bytes);
      expectEqual('subtractBF16', [E, A, B, n], brains, [[E, 'f32']], n);
      for (const [size, stride] of [
        [8, 8],
        [16, 40],
      ] as const) {
        const taken = Array.from({ length: n }, (_unused, i) => i % stride).filter((at) => at < size).length;
        expectEqual('subtractPiecesBF16', [E, A, B, size, stride, n], brains, [[E, 'f32']], taken);
      }
      expectEqual('addPairBF16', [E, A, B, c, 0.7, n], brains, [[E, 'u16']], n);
      expectEqual('addDeltaPairBF16', [E, C, A, B, c, 0.7, n], brains, [[E, 'u16']], n);
      expectEqual('addDeltaBF16', [E, C, A, B, c, n], brains, [[E, 'u16']], n);
      expectEqual('addProductPairBF16', [E, A, B, A, B, n], brains, [[E, 'u16']], n);
      expectEqual('addDeltaProductPairBF16', [E, C, A, B, A, B, n], brains, [[E, 'u16']], n);
      expectEqual('gramDeltaBF16', [A, B, COUNTS, n], brains, [[COUNTS, 'f64']], 3);
      for (const row of rowsWithin(n)) {
        const sums = [COUNTS, COUNTS + 65_536, COUNTS + 131_072] as const;
        for (const squares of [sums[0], 0]) {
          const args = [squares, sums[1], sums[2], A, B, row, Math.floor(n / row)];
          expectEqual('addColumnsBF16', args, brains, sums.map((at) => [at, 'f64']), row); // prettier-ignore
        }
      }
      expectEqual('nearswapBF16', [E, A, B, c, n], brains, [[E, 'u16']], n);
      expectEqual('addLargerPairBF16', [E, C, A, B, c, n], brains, [[E, 'u16']], n);
      for (const epsilon of [0, 1e-5, 0.5]) {
        expectEqual('mergeActivePairBF16', [E, C, A, B, c, 1.2, epsilon, n], brains, [[E, 'u16']], n);
        expectEqual('countActivePairBF16', [C, A, B, COUNTS, epsilon, n], brains, [[COUNTS, 'f64']], 4);
      }
      expectEqual('gramBF16', [A, B, COUNTS, n], brains, [[COUNTS, 'f64']], 3);
      expectEqual('gramDeltasBF16', [A, B, C, COUNTS, n], brains, [[COUNTS, 'f64']], 3);
      expectEqual('variancePairBF16', [E, C, A, B, n], brains, [[E, 'f32']], n);
      const occurring = new DataView(memory.buffer).getInt32(E + 4 * (n >> 1), true);
      for (const [key, quota] of [
        [occurring - 1, 0],
        [occurring, 1],
        [occurring + 1, 1],
        [0, 1],
        [0x3e80_0000, 2],
        [0x3e80_0000, 0],
        [0x7fff_ffff, 0],
      ] as const) {
        const limit = new Uint8Array(Uint32Array.of(key, quota).buffer);
        const sums = E + 65_536;
        const args = [C, A, B, COUNTS, E, sums, n];
        expectEqual('measureSelectedPairBF16', args, brains, [[E, 'u16']], Math.floor(n / 16), limit);
        expectEqual('measureSelectedPairBF16', args, brains, [[sums, 'f64']], 2, limit);
        expectEqual('measureSelectedPairBF16', args, brains, [[COUNTS, 'u32']], 2, limit);
      }
      for (const low of [1, 0x3f00_0000]) {
        expectEqual(
          'countWindowBF16',
          [A, B, low, 65_535, COUNTS, n],
          brains,
          [[COUNTS, 'u32']],
          windowBytes(65_535) / 4,
        );
      }
      for (const [low, higher] of [
        [1, 0x3f00_0000],
        [0x3e80_0000, 0x3f80_0000],
        [0x3f80_0000, 0x3f80_0000],
      ] as const) {
        const tail = new Uint8Array(Uint32Array.of(higher, 4095, COUNTS + 32_768, 0, 3, 0).buffer);
        const words = (32_768 + windowBytes(4095)) / 4;
        const args = [A, B, low, 4095, COUNTS + 32, COUNTS, n];
        expectEqual('countBandBF16', args, brains, [[COUNTS, 'u32']], words, tail);
      }
      for (const [votes, margin] of [
        [[0.5, 0.5], -1],
        [[0.4, 0.6], 2 ** -21],
        [[0.4, 0.6], 0.3],
        [[1, 3], 2 ** -19],
      ] as const) {
        for (const quota of [0, 3, 9, 5000]) {
          const least = limits[(n + quota) % 5] ?? 0;
          const most = limits[(n + quota + 1) % 5] ?? 0;
          const settings = pairSettings([least, quota, Math.max(most, least + 1), quota % 4], votes, margin, c);
          expectEqual('electPairF32', [E, C, A, B, COUNTS, n], bytes, [[E, 'f32']], n, settings);
          for (const name of ['maskElectPairBF16', 'maskSumPairBF16'] as const) {
            expectEqual(name, [E, C, A, B, COUNTS, n], brains, [[E, 'u16']], n, settings);
          }
          for (const name of ['trimElectPairBF16', 'bandElectPairBF16', 'bandSumPairBF16'] as const) {
            // Quotas are used up by whole vectors of eight.
            const results: [number, Element][] = [
              [E, 'u16'],
              ...(n % 8 === 0 ? [[COUNTS, 'u32'] as [number, Element]] : []),
            ];
            expectEqual(name, [E, C, A, B, COUNTS, n], brains, results, Math.min(n, 16), settings);
            expectEqual(name, [E, C, A, B, COUNTS, n], brains, [[E, 'u16']], n, settings);
          }
        }
      }
    });
  }, 60_000);

  test('masks of one bit an element', () => {
    run('f32', (bytes, n) => {
      expectEqual('packKeptF32', [E, A, n], bytes, [[E, 'u16']], Math.floor(n / 16));
      expectEqual('keepPackedF32', [A, B, D, n], bytes, [[A, 'f32']], n);
      expectEqual('sumKeptBF16', [A, B, D, E, n], brainsOf(bytes), [[E, 'f64']], 2);
    });
  });

  test('quotas that end within a long run', () => {
    const n = 4096;
    const bytes = new Uint8Array(COUNTS - HEAP_START);
    const view = new DataView(bytes.buffer);
    for (const [slot, seed] of [7, 11, 13].entries()) {
      for (let i = 0; i < n; i++) view.setUint16(slot * 65_536 + 2 * i, 0x3f80 + ((i * seed) % 5), true);
    }
    for (const quota of [0, 1, 511, 512, 600, 1000, 4096]) {
      const settings = pairSettings([0x3c80_0000, quota, 0x3cc0_0000, quota >> 1], [0.4, 0.6], 2 ** -21, 1);
      for (const name of ['trimElectPairBF16', 'bandElectPairBF16', 'bandSumPairBF16'] as const) {
        expectEqual(name, [E, C, A, B, COUNTS, n], bytes, [[E, 'u16']], n, settings);
        expectEqual(name, [E, C, A, B, COUNTS, n], bytes, [[COUNTS, 'u32']], 18, settings);
      }
    }
  });

  test('keys of few differences', () => {
    run('f32', (bytes, n) => {
      for (const rank of [1, Math.ceil(n / 2), n]) expectEqual('keyOfRankF32', [A, rank, n], bytes, [], n);
      const key = simd.keyOfRankF32(A, Math.ceil(n / 2), n);
      for (const least of [0, key, key + 1]) expectEqual('countAboveF32', [A, least, n], bytes, [], n);
    });
  });

  test('histograms', () => {
    const counts: [number, Element][] = [[COUNTS, 'u32']];
    run('f32', (bytes, n) => {
      expectEqual('histogramHighF32', [A, B, COUNTS, n], bytes, counts, 65_536);
    });
    run('f64', (bytes, n) => {
      expectEqual('histogramF64', [A, B, 48, 0n, COUNTS, n], bytes, counts, 65_536);
      expectEqual('histogramF64', [A, B, 32, 0x3ff0n, COUNTS, n], bytes, counts, 65_536);
      expectEqual('histogramF64', [A, B, 0, 0x3ff0_0000_0000n, COUNTS, n], bytes, counts, 65_536);
    });
  }, 60_000);

  test('random draws, and what they keep', () => {
    for (const element of ['f32', 'f64'] as const) {
      run(element, (bytes, n, c) => {
        const key = BigInt.asUintN(64, BigInt(n) * 0x9e37_79b9_7f4a_7c15n + BigInt(Math.trunc(c)));
        // D has draws of which every third ties with the probability's leading bits.
        const draws = new DataView(bytes.buffer, D - HEAP_START);
        for (let i = 0; i < n; i++) draws.setUint16(2 * i, i % 3 === 0 ? 0x8000 : 40_503 * i, true);
        for (const first of [0, 96, 2 ** 35 - 32, 2 ** 35 + 32]) {
          expectEqual('drawBits', [A, key, 3, first, n], bytes, [[A, 'u16']], n);
          // The last element's draw ties with these.
          const tie = new DataView(memory.buffer).getUint16(A + 2 * (n - 1), true) * 65_536;
          for (const probability of [0, 0x8000_0000, tie, tie + 0x3000, tie + 0xd000]) {
            expectEqual('drawMask', [A, probability, key, 3, first, n], bytes, [[A, 'u16']], 4 * Math.ceil(n / 64));
          }
          const args = [A, B, D, 0x8000_7000, key, 3, first + 5, n];
          expectEqual(element === 'f32' ? 'keepDrawnF32' : 'keepDrawnF64', args, bytes, [[A, element]], n);
        }
      });
    }
  }, 60_000);

  test('ranks, and what they keep', () => {
    const settings = new Uint8Array(28);
    const view = new DataView(settings.buffer);
    view.setUint32(20, COUNTS + 64, true);
    run('f32', (bytes, n, c) => {
      const draws = new DataView(bytes.buffer, D - HEAP_START);
      // A few rows in one: the longer, the more elements are open. Half the draws tie with a probability.
      const long = Math.min(4000, n * n);
      const source = new DataView(bytes.buffer);
      for (let i = n; i < long; i++) {
        for (const slot of [0, 65_536])
          source.setUint32(slot + 4 * i, source.getUint32(slot + 4 * (i % n), true) + i, true);
      }
      for (let i = 0; i < long; i++) draws.setUint16(2 * i, i % 2 === 0 ? 0x8000 : 40_503 * i, true);
      for (const [low, high] of [
        [0.35, 0.65],
        [0, 1],
        [0.5, 0.5],
      ] as const) {
        for (const isScaled of [0, 1]) {
          view.setFloat64(0, low * 2 ** 32, true);
          view.setFloat64(8, ((high - low) * 2 ** 32) / Math.max(1, long - 1), true);
          view.setUint32(16, isScaled, true);
          view.setUint32(24, long, true);
          const args = [A, B, D, COUNTS, BigInt(n) << 33n, 1, 7 + Math.trunc(Math.abs(c) % 99)];
          expectEqual('keepRankedF32', args, bytes, [[A, 'f32']], long, settings);
          if (isScaled === 1) continue;
          expectEqual('rankMaskBF16', [C, ...args], bytes, [[C, 'u16']], Math.floor(long / 16), settings);
        }
      }
    });
  }, 60_000);

  test('draws are those of Philox 4x32-10', () => {
    // The first known answer of Random123: counter 0, key 0.
    simd.drawBits(A, 0n, 0, 0, 32);
    const [word0, word1, word2, word3] = [0, 1, 2, 3].map((word) => {
      const [low = 0, high = 0] = [0, 4].map((half) => Number(elements(memory, A + 16 * word + 2 * half, 'u16', 1)[0]));
      return (high * 65_536 + low).toString(16);
    });
    expect([word0, word1, word2, word3]).toEqual(['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']);
  });

  test('conversions of random values', () => {
    run('f32', (bytes, n) => {
      expectEqual('encodeBF16', [A, B, n], bytes, [[B, 'u16']], n);
      expectEqual('encodeF16', [A, B, n], bytes, [[B, 'u16']], n);
      expectEqual('encodeF32', [A, B, n], bytes, [[B, 'u32']], n);
      expectEqual('promote', [A, B, n], bytes, [[B, 'f64']], n);
    });
    run('f64', (bytes, n) => {
      expectEqual('encodeF64', [A, B, n], bytes, [[B, 'f64']], n);
      expectEqual('demote', [A, B, n], bytes, [[B, 'f32']], n);
      expectEqual('demoteOdd', [A, B, n], bytes, [[B, 'f32']], n);
    });
  });

  test('every 16-bit pattern decodes alike, and comes back from encoding', () => {
    const bytes = new Uint8Array(COUNTS - HEAP_START);
    for (let from = 0; from < 65_536; from += 4096) {
      const view = new DataView(bytes.buffer);
      for (let i = 0; i < 4096; i++) view.setUint16(2 * i, from + i, true);
      expectEqual('decodeBF16', [A, B, 4096], bytes, [[B, 'f32']], 4096);
      simd.encodeBF16(B, C, 4096);
      expect(canonical(elements(memory, C, 'u16', 4096), 0x7f80)).toEqual(
        canonical(elements(memory, A, 'u16', 4096), 0x7f80),
      );
      expectEqual('decodeF16', [A, B, 4096], bytes, [[B, 'f32']], 4096);
      simd.encodeF16(B, C, 4096);
      expect(canonical(elements(memory, C, 'u16', 4096), 0x7c00)).toEqual(
        canonical(elements(memory, A, 'u16', 4096), 0x7c00),
      );
    }
  }, 60_000);
});

function canonical(patterns: (number | bigint | 'NaN')[], infinity: number): unknown[] {
  return patterns.map((pattern) => ((Number(pattern) & 0x7fff) > infinity ? 'NaN' : pattern));
}
