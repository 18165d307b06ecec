import type { Kernels, MergePair, Pointer } from './kernels.js';
import { bitsOf, brainReader, SIGN_FREE, singleToBrain } from './scalar-bits.js';

type PairKernels = Pick<
  Kernels,
  | 'electPairF32'
  | 'trimElectPairBF16'
  | 'bandElectPairBF16'
  | 'bandSumPairBF16'
  | 'maskElectPairBF16'
  | 'maskSumPairBF16'
  | 'packKeptF32'
  | 'keepPackedF32'
  | 'sumKeptBF16'
  | 'addPairBF16'
  | 'addDeltaPairBF16'
  | 'addDeltaBF16'
  | 'addLargerPairBF16'
  | 'addProductPairBF16'
  | 'addDeltaProductPairBF16'
  | 'subtractBF16'
  | 'subtractPiecesBF16'
>;

/** The twins of assembly/pair.ts, which has the layout of the settings, and of what else takes bf16 as it is stored. */
export function scalarPair(memory: WebAssembly.Memory): PairKernels {
  const view = (): DataView => new DataView(memory.buffer);
  const f32 = (at: Pointer): number => view().getFloat32(at, true);
  const brain = brainReader(memory);
  const deltaOf = (x: Pointer, base: Pointer, i: number): number => Math.fround(brain(x, i) - brain(base, i));

  /** An element equal to a threshold counts as beyond it for as long as the quota lasts. */
  const isBeyond = (key: number, limit: Pointer): boolean => {
    const own = view().getInt32(limit, true);
    const quota = view().getUint32(limit + 4, true);
    if (key !== own || quota === 0) return key > own;
    view().setUint32(limit + 4, quota - 1, true);
    return true;
  };

  const elected = (x: number, y: number, settings: Pointer): number => {
    let votes = Math.fround(x + Math.fround(y * f32(settings + 48)));
    if (Math.abs(votes) < Math.fround(Math.abs(y) * f32(settings + 52))) {
      votes = x * view().getFloat64(settings + 56, true) + y * view().getFloat64(settings + 64, true);
    }
    const sign = votes >= 0 ? 1 : -1;
    const [isSilentX, isSilentY] = [x * sign <= 0, y * sign <= 0];
    const together = isSilentX || isSilentY ? 0 : 4;
    const termX = isSilentX ? 0 : Math.fround(x * f32(settings + 16 + together));
    return Math.fround(termX + (isSilentY ? 0 : Math.fround(y * f32(settings + 40 + together))));
  };

  const added = (x: number, y: number, settings: Pointer): number =>
    Math.fround(Math.fround(x * f32(settings + 20)) + Math.fround(y * f32(settings + 44)));

  const selectPair = (hasOutliers: boolean, merge: typeof elected): MergePair => {
    return (output, base, x, y, settings, n) => {
      const remains = (model: Pointer, limits: Pointer, i: number): number => {
        const delta = deltaOf(model, base, i);
        const key = bitsOf(delta) & SIGN_FREE;
        const isKept = isBeyond(key, limits);
        return isKept && !(hasOutliers && isBeyond(key, limits + 8)) ? delta : 0;
      };
      for (let i = 0; i < n; i++) {
        const sum = merge(remains(x, settings, i), remains(y, settings + 24, i), settings);
        view().setUint16(output + 2 * i, singleToBrain(bitsOf(brain(base, i) + sum)), true);
      }
    };
  };

  const isMasked = (mask: Pointer, i: number): boolean =>
    ((view().getUint8(mask + Math.floor(i / 8)) >> (i % 8)) & 1) === 1;

  const maskPair = (merge: typeof elected): MergePair => {
    return (output, base, x, y, settings, n) => {
      const [maskX, maskY] = [view().getUint32(settings + 72, true), view().getUint32(settings + 76, true)];
      for (let i = 0; i < n; i++) {
        const deltas = [x, y].map((model) => deltaOf(model, base, i));
        const remains = deltas.map((delta, m) => (isMasked(m === 0 ? maskX : maskY, i) ? delta : 0));
        const sum = merge(remains[0] ?? 0, remains[1] ?? 0, settings);
        view().setUint16(output + 2 * i, singleToBrain(bitsOf(brain(base, i) + sum)), true);
      }
    };
  };

  return {
    electPairF32: (output, base, x, y, settings, n) => {
      for (let i = 0; i < n; i++) {
        const at = 4 * i;
        view().setFloat32(output + at, f32(base + at) + elected(f32(x + at), f32(y + at), settings), true);
      }
    },
    trimElectPairBF16: selectPair(false, elected),
    bandElectPairBF16: selectPair(true, elected),
    bandSumPairBF16: selectPair(true, added),
    maskElectPairBF16: maskPair(elected),
    maskSumPairBF16: maskPair(added),
    packKeptF32: (mask, x, n) => {
      for (let i = 0; i < n; i++) {
        if (i % 8 === 0) view().setUint8(mask + i / 8, 0);
        const bit = f32(x + 4 * i) === 0 ? 0 : 1 << (i % 8);
        view().setUint8(mask + Math.floor(i / 8), view().getUint8(mask + Math.floor(i / 8)) | bit);
      }
    },
    keepPackedF32: (x, base, mask, n) => {
      for (let i = 0; i < n; i++) {
        const delta = f32(x + 4 * i) - f32(base + 4 * i);
        view().setFloat32(x + 4 * i, isMasked(mask, i) ? delta : 0, true);
      }
    },
    sumKeptBF16: (x, base, mask, target, n) => {
      const lanes = [new Float64Array(4), new Float64Array(4)];
      for (let i = 0; i < n; i++) {
        const size = Math.abs(deltaOf(x, base, i));
        const sums = lanes.map((sum) => (sum[i % 4] ?? 0) + size);
        lanes.forEach((sum, at) => {
          if (at === 0 || isMasked(mask, i)) sum[i % 4] = sums[at] ?? 0;
        });
      }
      lanes.forEach(([a = 0, b = 0, c = 0, d = 0], at) => view().setFloat64(target + 8 * at, a + b + (c + d), true));
    },
    addPairBF16: (output, x, y, c, d, n) => {
      const { fround } = Math;
      for (let i = 0; i < n; i++) {
        const sum = fround(brain(x, i) * fround(c)) + fround(brain(y, i) * fround(d));
        view().setUint16(output + 2 * i, singleToBrain(bitsOf(sum)), true);
      }
    },
    addProductPairBF16: (output, x, y, cs, ds, n) => {
      const { fround } = Math;
      for (let i = 0; i < n; i++) {
        const sum = fround(brain(x, i) * f32(cs + 4 * i)) + fround(brain(y, i) * f32(ds + 4 * i));
        view().setUint16(output + 2 * i, singleToBrain(bitsOf(sum)), true);
      }
    },
    addDeltaBF16: (output, origin, x, base, c, n) => {
      const { fround } = Math;
      for (let i = 0; i < n; i++) {
        const sum = brain(origin, i) + fround(deltaOf(x, base, i) * fround(c));
        view().setUint16(output + 2 * i, singleToBrain(bitsOf(sum)), true);
      }
    },
    addLargerPairBF16: (output, base, x, y, c, n) => {
      const { fround } = Math;
      for (let i = 0; i < n; i++) {
        const [first, second] = [deltaOf(x, base, i), deltaOf(y, base, i)];
        const isLarger = (bitsOf(second) & SIGN_FREE) > (bitsOf(first) & SIGN_FREE);
        const sum = brain(base, i) + fround((isLarger ? second : first) * fround(c));
        view().setUint16(output + 2 * i, singleToBrain(bitsOf(sum)), true);
      }
    },
    addDeltaPairBF16: (output, base, x, y, c, d, n) => {
      const { fround } = Math;
      for (let i = 0; i < n; i++) {
        const sum = fround(fround(deltaOf(x, base, i) * fround(c)) + fround(deltaOf(y, base, i) * fround(d)));
        view().setUint16(output + 2 * i, singleToBrain(bitsOf(sum + brain(base, i))), true);
      }
    },
    addDeltaProductPairBF16: (output, base, x, y, cs, ds, n) => {
      const { fround } = Math;
      for (let i = 0; i < n; i++) {
        const [c, d] = [f32(cs + 4 * i), f32(ds + 4 * i)];
        const sum = fround(fround(deltaOf(x, base, i) * c) + fround(deltaOf(y, base, i) * d));
        view().setUint16(output + 2 * i, singleToBrain(bitsOf(sum + brain(base, i))), true);
      }
    },
    subtractPiecesBF16: (target, x, base, size, stride, n) => {
      let taken = 0;
      for (let i = 0; i < n; i++) {
        if (i % stride < size) view().setFloat32(target + 4 * taken++, deltaOf(x, base, i), true);
      }
      return taken;
    },
    subtractBF16: (target, x, base, n) => {
      for (let i = 0; i < n; i++) view().setFloat32(target + 4 * i, deltaOf(x, base, i), true);
    },
  };
}
