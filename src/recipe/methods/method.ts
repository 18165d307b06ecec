import type { Scalar } from '../scalars.js';

/** The method names, MergeKit's twenty and then those beyond, in the order in which they are listed to people. */
export const methodNames = [
  'linear',
  'slerp',
  'nuslerp',
  'multislerp',
  'karcher',
  'task_arithmetic',
  'ties',
  'dare_linear',
  'dare_ties',
  'breadcrumbs',
  'breadcrumbs_ties',
  'della_linear',
  'della',
  'model_stock',
  'nearswap',
  'arcee_fusion',
  'sce',
  'ram',
  'ramplus_tl',
  'passthrough',
  'magmax',
  'expo',
  'dam',
  'lines',
  'widen',
] as const;

export type MethodName = (typeof methodNames)[number];

/**
 * What a base model means to a method: `required`, `optional` (deltas are taken against it when it is there), `ignored` (it
 * is one more input among equals) or `forbidden`.
 */
export type BasePolicy = 'required' | 'optional' | 'ignored' | 'forbidden';

/** One parameter of a method. */
export interface MethodParameter {
  /** `model`: each model may have its own value; `global`: one value for a tensor, whatever the number of models. */
  scope: 'model' | 'global';
  type: 'number' | 'boolean' | 'integer';
  default?: Scalar;
  /** There is no default: the recipe must give it (never for the base of a method that has one). */
  required?: boolean;
  /** What it takes beside true and false, and what each of these words means. */
  words?: Readonly<Record<string, Scalar>>;
  /** Smallest and largest value with a meaning, inclusive. */
  min?: number;
  max?: number;
  doc: string;
}

/** What the recipe layer knows of a merge method: enough to check a recipe and to document it, nothing about how it is computed. */
export interface MethodDefinition {
  name: MethodName;
  title: string;
  base: BasePolicy;
  /** How many models it needs beside the base; where the base is `ignored`, it counts as one of them. */
  minModels: number;
  /** Absent: any number. */
  maxModels?: number;
  parameters: Readonly<Record<string, MethodParameter>>;
  /** It applies the coefficients that the recipe's `coefficients` names. */
  takesCoefficients?: true;
  /** It treats a tensor by its layer's depth in the result. */
  takesDepth?: true;
  /** It treats a tensor by what it is for. */
  takesRole?: true;
  doc: string;
  paper?: { title: string; url: string };
  /** Whether this version's engine carries it out. */
  executable: boolean;
}
