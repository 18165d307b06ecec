import {
  type InputGroup,
  inputGroups,
  type MethodName,
  overridden,
  type Parameters,
  pointerOf,
  type Recipe,
  type Selector,
  selects,
} from '../../recipe/index.js';
import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { EngineError } from '../errors.js';

/** One model's part of an output slice. */
export interface SliceSource {
  reference: string;
  /** First layer taken, and the one after the last. Absent: the whole model. */
  layers?: readonly [number, number];
  own?: Parameters;
}

/** A run of output layers, all computed from the same sources but for what overrides take. */
export interface OutputSlice {
  method: MethodName;
  sources: SliceSource[];
  base?: string;
  slice?: Parameters;
  override?: Parameters;
  /** The slice as each of the recipe's overrides has it, in order. */
  variants?: { selector: Selector; slice: OutputSlice }[];
  /** RFC 6901: where the recipe says so. */
  pointer: string;
}

/** A recipe's `models` or `slices`, in one form. A model that is listed twice counts once, with its first parameters. */
export function outputSlices(recipe: Recipe): OutputSlice[] {
  return inputGroups(recipe).map((group) => ({
    ...sliceOf(group),
    variants: (recipe.overrides ?? []).map((override, index) => ({
      selector: override,
      slice: sliceOf(overridden(group, override, index)),
    })),
  }));
}

/** The slice as it is for one tensor of the result: the first override whose selectors take the tensor holds for it. */
export function sliceFor(slice: OutputSlice, tensor: string): OutputSlice {
  return slice.variants?.find(({ selector }) => selects(selector, tensor))?.slice ?? slice;
}

function sliceOf({ method, inputs, base, slice, override, path }: InputGroup): OutputSlice {
  const sources = inputs.map(({ model, layerRange, own }): SliceSource => {
    return { reference: model, ...(layerRange && { layers: layerRange }), ...(own && { own }) };
  });
  return {
    method: method.name,
    sources: distinct(sources),
    ...(base !== undefined && { base }),
    ...(slice && { slice }),
    ...(override && { override }),
    pointer: pointerOf(path),
  };
}

function distinct(sources: readonly SliceSource[]): SliceSource[] {
  const seen = new Set<string>();
  return sources.filter(({ reference, layers }) => {
    const key = `${reference}\n${layers?.join('-') ?? ''}`;
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew;
  });
}

/** @throws EngineError layer_range_invalid when a source ends after its model's last layer */
export function checkLayerRanges(slices: readonly OutputSlice[], depths: ReadonlyMap<string, number>): void {
  slices.forEach(({ sources, pointer }) => {
    sources.forEach(({ reference, layers }, at) => {
      const depth = depths.get(reference) ?? 0;
      if (layers === undefined || layers[1] <= depth) return;
      const message = `${reference} has ${depth} layers, but layer_range asks for [${layers.join(', ')})`;
      throw new EngineError('layer_range_invalid', message, { pointer: `${pointer}/sources/${at}/layer_range` });
    });
  });
}

export type Checkpoints = ReadonlyMap<string, Checkpoint>;
