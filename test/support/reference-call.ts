import type { ExactTensor } from './reference-methods.js';

/** One tensor as a reference sees it: the inputs in f64, rounded to the type in which the recipe wants them. */
export interface ReferenceCall {
  /** In the recipe's order, the base among them. */
  inputs: readonly Float64Array[];
  base: Float64Array;
  /** The inputs without the base. */
  models: readonly Float64Array[];
  shape: number[];
  /** 0 in the result's first layer and outside the layers, 1 in its last. */
  depth: number;
  /** Of each input, from the file that the recipe names: a number for each column, or one for all. */
  coefficients(): Float64Array[];
  /** Of random masks. */
  seed: number;
  /** The tensor's name in the result. */
  tensor: string;
  global(parameter: string, fallback?: number): number;
  /** What the recipe says of the method as a whole, as it is written. */
  written(parameter: string): unknown;
  ofInputs(parameter: string, fallback?: number): number[];
  ofModels(parameter: string, fallback?: number): number[];
}

export type Reference = (call: ReferenceCall) => ExactTensor;
