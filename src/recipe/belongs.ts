import { methods } from './methods/registry.js';
import type { Path } from './pointers.js';

const inCondition = 'in an override, or in an entry of a parameter’s list of conditions';
const inEntry = 'in an entry of models, or of a slice’s sources';

const places: Readonly<Record<string, string>> = {
  merge_method: 'at the top level, in a slice, or in an override',
  base_model: 'at the top level, in a slice, or in an override',
  models: 'at the top level, or in a module',
  slices: 'at the top level, or in a module',
  modules: 'at the top level',
  overrides: 'at the top level',
  name: 'at the top level',
  preset: 'at the top level',
  coefficients: 'at the top level',
  dtype: 'at the top level',
  out_dtype: 'at the top level',
  tokenizer: 'at the top level',
  tokenizer_source: 'at the top level',
  chat_template: 'at the top level',
  sources: 'in an entry of slices',
  layer_range: 'in a source of a slice',
  model: inEntry,
  parameters: 'at the top level, in a module, in a slice, in an override, or in an entry of models or sources',
  pad_to_multiple_of: 'in tokenizer',
  tokens: 'in tokenizer',
  filter: inCondition,
  glob: inCondition,
  regex: inCondition,
  layers: inCondition,
  role: inCondition,
  value: inCondition,
  lora: 'in the model’s name: model+lora',
  revision: 'in the model’s name: model@revision',
  random_seed: 'in the request or on the command line: --random-seed',
  out_path: 'in the request or on the command line',
  copy_tokenizer: 'on the command line: --copy-tokenizer',
  low_cpu_memory: 'on the command line, where it has no effect',
};

/** Where a key that means nothing at its place would mean something, as the end of a sentence; undefined when nowhere. */
export function whereKeyBelongs(key: string, path: Path): string | undefined {
  if (Object.hasOwn(places, key)) return places[key];
  const methodNames = methodsWithParameter(key);
  if (methodNames.length === 0) return undefined;
  const beside = path.at(-2);
  return typeof beside === 'number' ? 'under this entry’s parameters' : 'under parameters';
}

/** The methods that have a parameter of that name. */
export function methodsWithParameter(name: string): string[] {
  return Object.values(methods)
    .filter((method) => Object.hasOwn(method.parameters, name))
    .map((method) => method.name);
}

/** Where a key of a recipe would mean something that is not a parameter of any method. */
export function whereRecipeKeyBelongs(key: string): string | undefined {
  return Object.hasOwn(places, key) ? places[key] : undefined;
}
