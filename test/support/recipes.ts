import { type MethodName, methods } from '../../src/recipe/index.js';

export type Condition = { filter?: string; value: number | number[] };
/** A setting as people write it: a number (or one in quotes), a boolean, a gradient, or conditions. */
export type WrittenSetting = number | string | boolean | number[] | Condition[];
export type WrittenParameters = Record<string, WrittenSetting>;

export interface WrittenSource {
  model: string;
  layer_range: [number, number];
  parameters?: WrittenParameters;
}

export interface WrittenSlice {
  sources: WrittenSource[];
  parameters?: WrittenParameters;
}

/** A recipe before it is YAML. */
export interface WrittenRecipe {
  merge_method: MethodName;
  base_model?: string;
  models?: { model: string; parameters?: WrittenParameters }[];
  slices?: WrittenSlice[];
  parameters?: WrittenParameters;
  coefficients?: string;
  dtype?: string;
  out_dtype?: string;
}

/** What this version carries out. */
export const executableMethods = Object.values(methods)
  .filter(({ executable }) => executable)
  .map(({ name }) => name);
/** Models that fit together, for recipes to name. */
export interface ModelSet {
  base: string;
  /** At least three. */
  experts: readonly string[];
  /** 0: they have none, and recipes take them whole. */
  layers: number;
  /** Recipes may change the number of layers. */
  stackable: boolean;
  /** Stored with 16 bits: methods that trim run in a wider type, where MergeKit does not round before it sorts. */
  narrow: boolean;
}
