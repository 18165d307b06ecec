import type { Scalar } from './scalars.js';
import type { Parameters, Setting } from './schema.js';
import { selects } from './selectors.js';

/** The levels that may set a parameter of one tensor, from the nearest to the widest; the first that yields a value decides. */
export interface ParameterScope {
  /** Of the entry of `overrides` that takes the tensor. */
  override?: Parameters;
  /** Of the `models` or `sources` entry; leave out for a parameter of the method as a whole. */
  own?: Parameters;
  slice?: Parameters;
  module?: Parameters;
  global?: Parameters;
}

/** The tensor for which a parameter is resolved. */
export interface TensorPlace {
  /** The tensor's name in the model that the value is for. With it, filters test this name on every level. */
  inputTensor?: string;
  /** The tensor's name in the result: what filters of a parameter of the method as a whole test. */
  outputTensor: string;
  /** Where the layer is within its slice: 0 the first, 1 the last (and the only one); 0 for tensors outside the layers. */
  t: number;
}

/**
 * The value of a parameter for one tensor, by MergeKit's rules; undefined when no level gives one (the method's default is
 * not looked at). A level whose conditions all fail to match is passed over.
 */
export function resolveParameter(scope: ParameterScope, name: string, where: TensorPlace): Scalar | undefined {
  const tensor = where.inputTensor ?? where.outputTensor;
  for (const level of [scope.override, scope.own, scope.slice, scope.module, scope.global]) {
    if (level === undefined || !Object.hasOwn(level, name)) continue;
    const setting = level[name];
    const value = setting === undefined ? undefined : resolveSetting(setting, tensor, where.t);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** The value of one setting for the tensor, or undefined when none of its conditions matches the name. */
function resolveSetting(setting: Setting, tensor: string, t: number): Scalar | undefined {
  if (typeof setting !== 'object') return setting;
  for (const entry of setting) {
    if (typeof entry !== 'object') return resolveGradient(setting as Scalar[], t);
    if (selects(entry, tensor)) {
      return typeof entry.value === 'object' ? resolveGradient(entry.value, t) : entry.value;
    }
  }
  return undefined;
}

function resolveGradient(values: Scalar[], t: number): Scalar | undefined {
  const position = t * (values.length - 1);
  const index = Math.trunc(position);
  const before = values[index];
  // Booleans and words do not mix: the nearest value at or before the place counts.
  if (!values.every((value) => typeof value === 'number')) return before;
  const after = values[Math.min(values.length - 1, index + 1)];
  const fraction = position - index;
  return (1 - fraction) * Number(before) + fraction * Number(after);
}
