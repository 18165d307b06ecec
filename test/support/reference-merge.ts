import { type FloatDtype, findDtype } from '../../src/engine/checkpoint/dtype.js';
import type { WrittenParameters, WrittenRecipe, WrittenSlice } from './recipes.js';
import { emptyTensor, type ExactTensor } from './reference-methods.js';
import { type ReferencePlace, referenceNumber } from './reference-parameters.js';
import type { ReferenceCall } from './reference-call.js';
import { references } from './references.js';
import { type StoredTensor, valuesOf } from './safetensors.js';
import { roundTo } from './tensors.js';

export interface ExpectedTensor extends ExactTensor {
  /** Of the result. */
  dtype: FloatDtype;
  /** To which inputs are rounded before the method sees them. */
  cast: FloatDtype;
  shape: number[];
  /** What it was made from. */
  call: ReferenceCall;
}

/** The seed with which merges that are compared with the reference must be planned. */
export const REFERENCE_SEED = 20_240_613;

export type Models = ReadonlyMap<string, ReadonlyMap<string, StoredTensor>>;

interface Source {
  model: string;
  parameters?: WrittenParameters | undefined;
  /** First layer taken; the whole model: 0. */
  from: number;
}

/** What one run of output layers is made from. */
interface Part {
  sources: Source[];
  layers: number;
  parameters?: WrittenParameters | undefined;
}

/**
 * What a recipe's result is, in plain f64 and one element after the other: written from the formulas alone, it shares
 * nothing with the engine.
 * @param layers of each model
 */
export function referenceMerge(recipe: WrittenRecipe, models: Models, layers: number): Map<string, ExpectedTensor> {
  const parts = partsOf(recipe, layers);
  const first = parts[0];
  const last = parts.at(-1);
  if (first === undefined || last === undefined) throw new Error('the recipe has no inputs');
  const result = new Map<string, ExpectedTensor>();
  const total = parts.reduce((sum, part) => sum + part.layers, 0);
  const add = (name: string, part: Part, t: number, shift: number, layer = 0): void => {
    const depth = total > 1 ? layer / (total - 1) : 0;
    result.set(name, mergeTensor(recipe, models, part, name, { t, shift, depth }));
  };
  for (const name of looseNames(first, models)) add(name, isLast(name) ? last : first, 0, 0);
  let done = 0;
  for (const part of parts) {
    for (let at = 0; at < part.layers; at++) {
      const t = part.layers === 1 ? 1 : at / (part.layers - 1);
      for (const name of layerNames(part, models)) {
        add(name.replace(LAYER, `$1${done}$3`), part, t, at - done, done);
      }
      done += 1;
    }
  }
  return result;
}

const LAYER = /^([a-z.]+\.)(\d+)(\..+)$/;

function partsOf(recipe: WrittenRecipe, layers: number): Part[] {
  if (recipe.slices !== undefined) {
    return recipe.slices.map(({ sources, parameters }: WrittenSlice) => {
      const [from, to] = sources[0]?.layer_range ?? [0, 0];
      return {
        layers: to - from,
        parameters,
        sources: sources.map((source) => ({ ...source, from: source.layer_range[0] })),
      };
    });
  }
  const sources: Source[] = (recipe.models ?? []).map((model) => ({ ...model, from: 0 }));
  const base = recipe.base_model;
  if (base !== undefined && !sources.some(({ model }) => model === base)) sources.push({ model: base, from: 0 });
  return [{ sources, layers }];
}

/** Final norm and head belong to the last part, the rest outside the layers to the first. */
function isLast(name: string): boolean {
  return /^(model\.norm|lm_head|transformer\.ln_f)\./.test(name);
}

function namesOf(part: Part, models: Models): string[] {
  return [...new Set(part.sources.flatMap(({ model }) => [...(models.get(model)?.keys() ?? [])]))];
}

function looseNames(part: Part, models: Models): string[] {
  return namesOf(part, models).filter((name) => !LAYER.test(name));
}

/** The names of one layer, as layer 0. */
function layerNames(part: Part, models: Models): string[] {
  return namesOf(part, models).filter((name) => LAYER.exec(name)?.[2] === '0');
}

function mergeTensor(
  recipe: WrittenRecipe,
  models: Models,
  part: Part,
  name: string,
  { t, shift, depth }: { t: number; shift: number; depth: number },
): ExpectedTensor {
  const sources = part.sources.map((source) => {
    const inputName = name.replace(LAYER, (_all, before: string, layer: string, after: string) => {
      return `${before}${Number(layer) + shift + source.from}${after}`;
    });
    return { ...source, inputName, tensor: findTensor(models, source.model, inputName) };
  });
  const stored = sources.map(({ tensor }) => tensor.dtype);
  const cast = named(recipe.dtype) ?? promoted(stored);
  const inputs = sources.map(({ tensor }) => valuesOf(tensor).map((value) => roundTo(cast, value)));
  const global: ReferencePlace = { levels: [part.parameters, recipe.parameters], tensor: name, t };
  const own = (k: number): ReferencePlace => {
    const source = sources[k];
    return { levels: [source?.parameters, ...global.levels], tensor: source?.inputName ?? name, t };
  };
  const base = sources.findIndex(({ model }) => model === recipe.base_model);
  const others = sources.flatMap(({ model }, k) => (model === recipe.base_model ? [] : [k]));
  const call: ReferenceCall = {
    inputs,
    base: inputs[base] ?? new Float64Array(0),
    models: others.map((k) => inputs[k] ?? new Float64Array(0)),
    shape: sources[0]?.tensor.shape ?? [],
    tensor: name,
    depth,
    coefficients: () =>
      sources.map(({ model }) => valuesOf(findTensor(models, recipe.coefficients ?? '', `${name}@${model}`))),
    seed: REFERENCE_SEED,
    written: (parameter) => recipe.parameters?.[parameter],
    global: (parameter, fallback) => referenceNumber(global, parameter, fallback),
    ofInputs: (parameter, fallback) => inputs.map((_input, k) => referenceNumber(own(k), parameter, fallback)),
    ofModels: (parameter, fallback) => others.map((k) => referenceNumber(own(k), parameter, fallback)),
  };
  const reference = references[recipe.merge_method];
  if (reference === undefined) throw new Error(`there is no reference for ${recipe.merge_method}`);
  // An empty tensor is like no base to a reference.
  const exact = inputs.every(({ length }) => length === 0) ? emptyTensor(0) : reference(call);
  return { ...exact, cast, dtype: named(recipe.out_dtype) ?? cast, shape: call.shape, call };
}

function findTensor(models: Models, model: string, name: string): StoredTensor {
  const tensors = models.get(model);
  const tensor =
    tensors?.get(name) ?? (name === 'lm_head.weight' ? tensors?.get('model.embed_tokens.weight') : undefined);
  if (tensor === undefined) throw new Error(`${model} has no ${name}`);
  return tensor;
}

function named(dtype: string | undefined): FloatDtype | undefined {
  return dtype === undefined ? undefined : (findDtype(dtype) as FloatDtype | undefined);
}

function promoted(dtypes: readonly FloatDtype[]): FloatDtype {
  const distinct = new Set(dtypes);
  const [only = 'F32'] = distinct;
  if (distinct.size === 1) return only;
  return distinct.has('F64') ? 'F64' : 'F32';
}
