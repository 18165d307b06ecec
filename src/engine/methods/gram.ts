import type { Arithmetic } from '../kernels/arithmetic.js';
import type { Pointer } from '../kernels/kernels.js';
import type { Workspace } from './method.js';

/**
 * The inner products of some vectors. Everything in their span has its norms and angles here: with a and b as
 * coefficients, <sum a_i v_i, sum b_j v_j> = sum a_i G_ij b_j.
 */
export class Gram {
  /** @param packed the upper triangle, row by row */
  constructor(
    readonly vectors: number,
    private readonly packed: ArrayLike<number>,
  ) {}

  at(i: number, j: number): number {
    return this.packed[packedIndex(this.vectors, Math.min(i, j), Math.max(i, j))] ?? 0;
  }

  norm(i: number): number {
    return Math.sqrt(this.at(i, i));
  }

  norms(): number[] {
    return Array.from({ length: this.vectors }, (_unused, i) => this.norm(i));
  }

  /** Of the vectors' directions; a zero vector has none, and is orthogonal to all. */
  cosine(i: number, j: number): number {
    const [first, second] = [this.norm(i), this.norm(j)];
    if (first === 0 || second === 0) return 0;
    return Math.min(1, Math.max(-1, this.at(i, j) / first / second));
  }

  /** <v_i, sum c_j v_j> */
  project(i: number, coefficients: readonly number[]): number {
    return coefficients.reduce((sum, c, j) => sum + c * this.at(i, j), 0);
  }

  /** ||sum c_i v_i||, not negative even where rounding made the square so. */
  normOf(coefficients: readonly number[]): number {
    const squared = coefficients.reduce((sum, c, i) => sum + c * this.project(i, coefficients), 0);
    return Math.sqrt(squared < 0 ? 0 : squared);
  }
}

/** Entries of a packed triangle. */
export function gramEntries(vectors: number): number {
  return (vectors * (vectors + 1)) / 2;
}

export function packedIndex(vectors: number, row: number, column: number): number {
  return row * vectors - (row * (row - 1)) / 2 + column - row;
}

/** Measures `count` elements: the packed triangle, overwritten by the next call. */
export type Meter = (inputs: readonly Pointer[], count: number) => readonly number[];

/** The kernels that measure: those of the work dtype, or those of bf16 as it is stored. */
export type GramKernels = Pick<Arithmetic, 'gram' | 'gramDeltas'>;

/** Of the inputs, or of their differences from the first of them, the base. */
export function gramMeter(
  vectors: number,
  hasBase: boolean,
  { arithmetic, allocate, memory }: Workspace,
  { gram, gramDeltas }: GramKernels = arithmetic,
): Meter {
  const target = allocate(3 * 8);
  const packed = new Array<number>(gramEntries(vectors)).fill(0);
  return (inputs, count) => {
    const [base = 0] = inputs;
    const at = (i: number): Pointer => inputs[i + Number(hasBase)] ?? 0;
    const measure = (i: number, j: number): void => {
      if (hasBase) gramDeltas(at(i), at(j), base, target, count);
      else gram(at(i), at(j), target, count);
      const [own = 0, product = 0, other = 0] = new Float64Array(memory.buffer, target, 3);
      packed[packedIndex(vectors, i, i)] = own;
      packed[packedIndex(vectors, i, j)] = product;
      packed[packedIndex(vectors, j, j)] = other;
    };
    if (vectors === 1) measure(0, 0);
    for (let i = 0; i < vectors; i++) for (let j = i + 1; j < vectors; j++) measure(i, j);
    return packed;
  };
}
