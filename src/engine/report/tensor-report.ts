import type { SpecialValues } from './special-values.js';

/** What the blocks that were looked at add up to. Entries of the Gram matrix that are no finite number are null. */
export interface DeltaSums {
  /** What a task vector is the difference from: the base, or else the plain mean of the inputs. */
  reference: 'base' | 'mean';
  /** Of each task vector the model, as an index into the plan's inputs. */
  models: number[];
  /** Elements that were looked at; where these are not all of them, everything below is a sample. */
  seen: number;
  /** <d_i, d_j> of the task vectors for i <= j, row by row. */
  gram: (number | null)[];
  /** Elements in which at least two task vectors are not zero. */
  contested: number;
  /** Those of them in which they have both signs. */
  conflicting: number;
  /** With a base: of each task vector the elements that are not zero, and those of them where the result is not the base. */
  nonZero?: number[];
  kept?: number[];
}

/** What a merge did to one tensor. */
export interface TensorReport extends SpecialValues {
  tensor: string;
  elements: number;
  /** Absent where the result is a copy, where there is nothing to compare, or without a report. */
  deltas?: DeltaSums;
}

/** What one thread saw of one range of a tensor, in block order. */
export interface RangeReport {
  special: SpecialValues;
  /** The Gram matrix of one block after the other: sums over blocks must not depend on how ranges were cut. */
  blocks?: Omit<DeltaSums, 'gram'> & { gram: Float64Array };
}

/** Joins the ranges of a tensor, in order. */
export function tensorReport(
  { name, shape }: { name: string; shape: readonly number[] },
  ranges: readonly RangeReport[],
): TensorReport {
  const sum = (of: (range: RangeReport) => number): number => ranges.reduce((total, range) => total + of(range), 0);
  const deltas = joinBlocks(ranges.flatMap(({ blocks }) => blocks ?? []));
  return {
    tensor: name,
    elements: shape.reduce((product, size) => product * size, 1),
    nan: sum(({ special }) => special.nan),
    infinite: sum(({ special }) => special.infinite),
    ...(deltas && { deltas }),
  };
}

function joinBlocks(ranges: readonly NonNullable<RangeReport['blocks']>[]): DeltaSums | undefined {
  const [first] = ranges;
  if (first === undefined) return undefined;
  const { reference, models } = first;
  const width = (models.length * (models.length + 1)) / 2;
  const gram = new Float64Array(width);
  for (const range of ranges) range.gram.forEach((entry, i) => (gram[i % width] = (gram[i % width] ?? 0) + entry));
  const sum = (of: (range: DeltaCounts) => number): number => ranges.reduce((total, range) => total + of(range), 0);
  const each = (of: (range: DeltaCounts) => number[] | undefined): number[] =>
    models.map((_model, i) => sum((range) => of(range)?.[i] ?? 0));
  return {
    reference,
    models,
    seen: sum(({ seen }) => seen),
    gram: Array.from(gram, (entry) => (Number.isFinite(entry) ? entry : null)),
    contested: sum(({ contested }) => contested),
    conflicting: sum(({ conflicting }) => conflicting),
    ...(reference === 'base' && { nonZero: each(({ nonZero }) => nonZero), kept: each(({ kept }) => kept) }),
  };
}

type DeltaCounts = Omit<DeltaSums, 'gram'>;
