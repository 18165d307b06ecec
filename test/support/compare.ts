import type { FloatDtype } from '../../src/engine/checkpoint/dtype.js';
import type { StoredTensor } from './safetensors.js';
import { valuesOf } from './safetensors.js';
import { ulp } from './tensors.js';

export interface Comparison {
  /** Largest |ours - theirs| of a tensor over its largest |theirs|. */
  relative: number;
  /** Beside it, steps of the stored type by which an element may differ: both sides rounded once, or more often. Default 0. */
  ulps?: number;
  /** The type whose steps count, where that is not the stored one. */
  ulpOf?(tensor: string): FloatDtype | undefined;
  /** What a tensor's differences are measured by at least: where sums of large numbers cancel out in all its few elements. */
  scaleOf?(tensor: string): number;
  /** Elements that are not compared: where the method itself leaves the result open. */
  isOpen?(tensor: string, element: number, theirs: number, ours: number): boolean;
}

/** One sentence for every difference: tensors that only one side has, other dtypes or shapes, values too far apart. */
export function differences(
  ours: ReadonlyMap<string, StoredTensor>,
  theirs: ReadonlyMap<string, StoredTensor>,
  comparison: Comparison,
): string[] {
  const found: string[] = [];
  for (const name of theirs.keys()) if (!ours.has(name)) found.push(`${name} is missing`);
  for (const [name, tensor] of ours) {
    const other = theirs.get(name);
    if (other === undefined) found.push(`${name} should not be there`);
    else found.push(...tensorDifferences(name, tensor, other, comparison));
  }
  return found;
}

function tensorDifferences(name: string, ours: StoredTensor, theirs: StoredTensor, comparison: Comparison): string[] {
  if (ours.dtype !== theirs.dtype) return [`${name} is ${ours.dtype}, not ${theirs.dtype}`];
  if (ours.shape.join() !== theirs.shape.join())
    return [`${name} is [${ours.shape.join()}], not [${theirs.shape.join()}]`];
  const [mine, other] = [valuesOf(ours), valuesOf(theirs)];
  const least = comparison.scaleOf?.(name) ?? 0;
  const largest = other.reduce((most, value) => (Math.abs(value) > most ? Math.abs(value) : most), least);
  const step = comparison.ulpOf?.(name) ?? ours.dtype;
  const bad: number[] = [];
  mine.forEach((value, i) => {
    const wanted = other[i] ?? Number.NaN;
    if (comparison.isOpen?.(name, i, wanted, value) === true || isClose(value, wanted, largest, step, comparison))
      return;
    bad.push(i);
  });
  if (bad.length === 0) return [];
  const shown = bad.slice(0, 3).map((i) => `[${i}] ${mine[i]} for ${other[i]}`);
  const worst = Math.max(...bad.map((i) => Math.abs((mine[i] ?? 0) - (other[i] ?? 0)) / largest));
  return [`${name}: ${bad.length} of ${mine.length} elements, worst ${worst.toExponential(2)}: ${shown.join(', ')}`];
}

function isClose(
  value: number,
  wanted: number,
  largest: number,
  dtype: FloatDtype,
  { relative, ulps = 0 }: Comparison,
): boolean {
  if (Object.is(value, wanted) || value === wanted) return true;
  const distance = Math.abs(value - wanted);
  return distance <= relative * largest || distance <= ulps * ulp(dtype, wanted);
}
