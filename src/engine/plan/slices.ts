import type { Parameters, Recipe } from '../../recipe/index.js';
import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { EngineError } from '../errors.js';

/** One model's part of an output slice. */
export interface SliceSource {
  reference: string;
  /** First layer taken, and the one after the last. Absent: the whole model. */
  layers?: readonly [number, number];
  own?: Parameters;
}

/** A run of output layers, all computed from the same sources. */
export interface OutputSlice {
  sources: SliceSource[];
  base?: string;
  slice?: Parameters;
  /** RFC 6901: where the recipe says so. */
  pointer: string;
}

/** A recipe's `models` or `slices`, in one form. A model that is listed twice counts once, with its first parameters. */
export function outputSlices(recipe: Recipe): OutputSlice[] {
  if (recipe.slices !== undefined) {
    return recipe.slices.map((slice, index) => {
      const base = slice.base_model ?? recipe.base_model;
      const sources = slice.sources.map(({ model, layer_range, parameters }): SliceSource => {
        return { reference: model, layers: layer_range, ...(parameters && { own: parameters }) };
      });
      return {
        sources: distinct(sources),
        ...(base !== undefined && { base }),
        ...(slice.parameters && { slice: slice.parameters }),
        pointer: `/slices/${index}`,
      };
    });
  }
  const sources = (recipe.models ?? []).map(({ model, parameters }): SliceSource => {
    return { reference: model, ...(parameters && { own: parameters }) };
  });
  const base = recipe.base_model;
  if (base !== undefined && !sources.some(({ reference }) => reference === base)) sources.push({ reference: base });
  return [{ sources: distinct(sources), ...(base !== undefined && { base }), pointer: '/models' }];
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
