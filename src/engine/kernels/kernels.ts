import { readFileSync } from 'node:fs';
import { builtUrl } from '../built.js';

/** A byte offset into the kernels' memory. */
export type Pointer = number;

/** The dtype in which a method computes. */
export type WorkDtype = 'F32' | 'F64';

/** Where buffers may begin: the first 576 KiB belong to the module's own constants and its table of exponentials. */
export const HEAP_START: Pointer = 589_824;

/**
 * Every kernel, by its name in kernels.wasm. Elementwise kernels may run past `n` to the next multiple of 16 elements;
 * reductions and selections stop at `n`. `scalar.ts` implements the same face without SIMD and is what they are tested
 * against, bit for bit.
 */
export interface Kernels {
  decodeBF16(source: Pointer, target: Pointer, n: number): void;
  decodeF16(source: Pointer, target: Pointer, n: number): void;
  encodeBF16(source: Pointer, target: Pointer, n: number): void;
  encodeF16(source: Pointer, target: Pointer, n: number): void;
  encodeF32(source: Pointer, target: Pointer, n: number): void;
  encodeF64(source: Pointer, target: Pointer, n: number): void;
  promote(source: Pointer, target: Pointer, n: number): void;
  demote(source: Pointer, target: Pointer, n: number): void;
  demoteOdd(source: Pointer, target: Pointer, n: number): void;
  scaleF32(target: Pointer, x: Pointer, c: number, n: number): void;
  scaleF64(target: Pointer, x: Pointer, c: number, n: number): void;
  addScaledF32(sum: Pointer, x: Pointer, c: number, n: number): void;
  addScaledF64(sum: Pointer, x: Pointer, c: number, n: number): void;
  addScaledDeltaF32(sum: Pointer, x: Pointer, base: Pointer, c: number, n: number): void;
  addScaledDeltaF64(sum: Pointer, x: Pointer, base: Pointer, c: number, n: number): void;
  subtractF32(target: Pointer, x: Pointer, base: Pointer, n: number): void;
  subtractF64(target: Pointer, x: Pointer, base: Pointer, n: number): void;
  subtractBF16(target: Pointer, x: Pointer, base: Pointer, n: number): void;
  subtractPiecesBF16(target: Pointer, x: Pointer, base: Pointer, size: number, stride: number, n: number): number;
  addF32(target: Pointer, x: Pointer, n: number): void;
  addF64(target: Pointer, x: Pointer, n: number): void;
  multiplyF32(target: Pointer, x: Pointer, y: Pointer, n: number): void;
  multiplyF64(target: Pointer, x: Pointer, y: Pointer, n: number): void;
  addProductF32(sum: Pointer, x: Pointer, y: Pointer, n: number): void;
  addProductF64(sum: Pointer, x: Pointer, y: Pointer, n: number): void;
  nearswapF32(output: Pointer, x: Pointer, base: Pointer, t: number, n: number): void;
  nearswapF64(output: Pointer, x: Pointer, base: Pointer, t: number, n: number): void;
  nearswapBF16(output: Pointer, x: Pointer, base: Pointer, t: number, n: number): void;
  addPairBF16(output: Pointer, x: Pointer, y: Pointer, c: number, d: number, n: number): void;
  addDeltaPairBF16(output: Pointer, base: Pointer, x: Pointer, y: Pointer, c: number, d: number, n: number): void;
  addDeltaBF16(output: Pointer, origin: Pointer, x: Pointer, base: Pointer, c: number, n: number): void;
  /** `cs` and `ds` are coefficients of each element, in f32. */
  addProductPairBF16(output: Pointer, x: Pointer, y: Pointer, cs: Pointer, ds: Pointer, n: number): void;
  /** The same as differences from the base. */
  addDeltaProductPairBF16(
    output: Pointer,
    base: Pointer,
    x: Pointer,
    y: Pointer,
    cs: Pointer,
    ds: Pointer,
    n: number,
  ): void;
  /** Adds the sums over `rows` rows, of each column; without the base's own where `squares` is 0. */
  addColumnsBF16(
    squares: Pointer,
    cross: Pointer,
    own: Pointer,
    base: Pointer,
    x: Pointer,
    row: number,
    rows: number,
  ): void;
  gramDeltaBF16(base: Pointer, x: Pointer, target: Pointer, n: number): void;
  gramBF16(x: Pointer, y: Pointer, target: Pointer, n: number): void;
  gramDeltasBF16(x: Pointer, y: Pointer, base: Pointer, target: Pointer, n: number): void;
  gramF32(x: Pointer, y: Pointer, target: Pointer, n: number): void;
  gramF64(x: Pointer, y: Pointer, target: Pointer, n: number): void;
  gramDeltasF32(x: Pointer, y: Pointer, base: Pointer, target: Pointer, n: number): void;
  gramDeltasF64(x: Pointer, y: Pointer, base: Pointer, target: Pointer, n: number): void;
  sumMagnitudesF32(x: Pointer, base: Pointer, key: number, n: number): number;
  sumMagnitudesF64(x: Pointer, base: Pointer, key: bigint, n: number): number;
  countAboveF32(deltas: Pointer, key: number, n: number): number;
  /** @param rank from 1 to n */
  keyOfRankF32(deltas: Pointer, rank: number, n: number): number;
  histogramHighF32(x: Pointer, base: Pointer, counts: Pointer, n: number): void;
  histogramF64(x: Pointer, base: Pointer, shift: number, prefix: bigint, counts: Pointer, n: number): void;
  countWindowF32(x: Pointer, base: Pointer, low: number, width: number, counts: Pointer, n: number): number;
  countScatteredF32(x: Pointer, low: number, width: number, counts: Pointer, n: number): number;
  countWindowBF16(x: Pointer, base: Pointer, low: number, width: number, counts: Pointer, n: number): number;
  countBandBF16(
    x: Pointer,
    base: Pointer,
    low: number,
    width: number,
    counts: Pointer,
    tail: Pointer,
    n: number,
  ): number;
  trimF32(x: Pointer, base: Pointer, key: number, quota: number, n: number): number;
  trimF64(x: Pointer, base: Pointer, key: bigint, quota: number, n: number): number;
  keepLargerF32(best: Pointer, x: Pointer, base: Pointer, n: number): void;
  keepLargerF64(best: Pointer, x: Pointer, base: Pointer, n: number): void;
  clearLargestF32(x: Pointer, key: number, quota: number, n: number): number;
  clearLargestF64(x: Pointer, key: bigint, quota: number, n: number): number;
  electF32(output: Pointer, base: Pointer, table: Pointer, models: number, negligible: number, n: number): void;
  electMixedF32(output: Pointer, base: Pointer, table: Pointer, models: number, negligible: number, n: number): void;
  electF64(output: Pointer, base: Pointer, table: Pointer, models: number, negligible: number, n: number): void;
  electPairF32: MergePair;
  trimElectPairBF16: MergePair;
  bandElectPairBF16: MergePair;
  bandSumPairBF16: MergePair;
  maskElectPairBF16: MergePair;
  maskSumPairBF16: MergePair;
  packKeptF32(mask: Pointer, x: Pointer, n: number): void;
  sumKeptBF16(x: Pointer, base: Pointer, mask: Pointer, target: Pointer, n: number): void;
  keepPackedF32(x: Pointer, base: Pointer, mask: Pointer, n: number): void;
  mergeActiveF32(output: Pointer, base: Pointer, table: Pointer, models: number, epsilon: number, n: number): void;
  mergeActiveF64(output: Pointer, base: Pointer, table: Pointer, models: number, epsilon: number, n: number): void;
  countActiveF32(base: Pointer, table: Pointer, models: number, epsilon: number, n: number): void;
  countActiveF64(base: Pointer, table: Pointer, models: number, epsilon: number, n: number): void;
  mergeActivePairBF16(
    output: Pointer,
    base: Pointer,
    x: Pointer,
    y: Pointer,
    factorX: number,
    factorY: number,
    epsilon: number,
    n: number,
  ): void;
  addLargerPairBF16(output: Pointer, base: Pointer, x: Pointer, y: Pointer, c: number, n: number): void;
  countActivePairBF16(base: Pointer, x: Pointer, y: Pointer, target: Pointer, epsilon: number, n: number): void;
  sumSquaresF32(x: Pointer, n: number): number;
  sumSquaresF64(x: Pointer, n: number): number;
  varianceF32(target: Pointer, table: Pointer, models: number, n: number): number;
  varianceF64(target: Pointer, table: Pointer, models: number, n: number): number;
  variancePairBF16(target: Pointer, base: Pointer, x: Pointer, y: Pointer, n: number): number;
  measureSelectedPairBF16(
    base: Pointer,
    x: Pointer,
    y: Pointer,
    limit: Pointer,
    mask: Pointer,
    target: Pointer,
    n: number,
  ): void;
  countVariancesPairBF16(base: Pointer, x: Pointer, y: Pointer, window: Pointer, n: number): number;
  keepWhereF32(x: Pointer, mask: Pointer, n: number): void;
  keepWhereF64(x: Pointer, mask: Pointer, n: number): void;
  countSpecial16(x: Pointer, infinity: number, target: Pointer, n: number): void;
  countSpecial32(x: Pointer, target: Pointer, n: number): void;
  countSpecial64(x: Pointer, target: Pointer, n: number): void;
  drawBits(target: Pointer, key: bigint, model: number, first: number, n: number): void;
  drawMask(target: Pointer, probability: number, key: bigint, model: number, first: number, n: number): void;
  drawMoreBits(key: bigint, model: number, element: number): number;
  rankMaskBF16(
    mask: Pointer,
    x: Pointer,
    base: Pointer,
    draws: Pointer,
    settings: Pointer,
    key: bigint,
    model: number,
    first: number,
  ): void;
  keepRankedF32(
    x: Pointer,
    base: Pointer,
    draws: Pointer,
    settings: Pointer,
    key: bigint,
    model: number,
    first: number,
  ): void;
  keepDrawnF32: KeepDrawn;
  keepDrawnF64: KeepDrawn;
  divergenceF32(x: Pointer, y: Pointer, scratch: Pointer, n: number): number;
  divergenceF64(x: Pointer, y: Pointer, scratch: Pointer, n: number): number;
  divergenceBF16(x: Pointer, y: Pointer, scratch: Pointer, n: number): number;
  scaleDeltaBF16(target: Pointer, x: Pointer, base: Pointer, c: number, n: number): void;
  takeScoredF32(output: Pointer, x: Pointer, base: Pointer, c: number, least: number, n: number): void;
  takeScoredF64(output: Pointer, x: Pointer, base: Pointer, c: number, least: bigint, n: number): void;
  takeScoredBF16(
    output: Pointer,
    x: Pointer,
    base: Pointer,
    factors: Pointer,
    row: number,
    least: number,
    n: number,
  ): void;
  countScoresBF16(x: Pointer, base: Pointer, factors: Pointer, row: number, windows: Pointer, n: number): void;
  observeF32: Observe;
  observeF64: Observe;
  acos(x: number): number;
  cos(x: number): number;
  exp(x: number): number;
  sin(x: number): number;
}

/** `output` is 0 where there is none; `scratch` and `target` are those of assembly/report.ts. */
export type Observe = (
  inputs: Pointer,
  models: number,
  hasBase: number,
  output: Pointer,
  scratch: Pointer,
  target: Pointer,
  n: number,
) => void;

/** `settings` are those of assembly/pair.ts, whose quotas the kernels of bf16 use up. */
export type MergePair = (output: Pointer, base: Pointer, x: Pointer, y: Pointer, settings: Pointer, n: number) => void;

/** `probability` is 2^32 times it; `draws` are the first 16 bits of the draws of the elements from `first` on. */
export type KeepDrawn = (
  x: Pointer,
  base: Pointer,
  draws: Pointer,
  probability: number,
  key: bigint,
  model: number,
  first: number,
  n: number,
) => void;

/** Compiles kernels.wasm; the module can be posted to worker threads, which then only instantiate it. */
export function compileKernels(): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(builtUrl('kernels/kernels.wasm')));
}

export function instantiateKernels(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  return instance.exports as unknown as Kernels;
}
