import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { dump } from 'js-yaml';
import type { FloatDtype } from '../../src/engine/checkpoint/dtype.js';
import { type TinyCheckpoint, tinyCheckpoint, writeCheckpoint } from '../support/checkpoints.js';
import type { ModelSizes } from '../support/families.js';
import { merge } from '../support/merge.js';
import { precisionOf } from '../support/precision.js';
import type { WrittenParameters, WrittenRecipe } from '../support/recipes.js';
import { type Models, referenceMerge } from '../support/reference-merge.js';
import { readModel, type StoredTensor, valuesOf } from '../support/safetensors.js';
import { encode } from '../support/tensors.js';

/** The embedding fills one canonical block (16,384 elements) and part of a second. */
const SIZES: ModelSizes = { layers: 1, hidden: 60, heads: 4, keyValueHeads: 2, feedForward: 80, vocabulary: 301 };

type Listed = NonNullable<WrittenRecipe['models']>;
const models = (weights: Record<string, number>, density?: Record<string, number>): Listed =>
  Object.entries(weights).map(([model, weight]) => {
    const parameters: WrittenParameters = { weight };
    if (density !== undefined) parameters['density'] = density[model] ?? 1;
    return { model, parameters };
  });
const mixed = { a: 0.7, b: -0.35, c: 0.3 };
const onBase = (merge_method: WrittenRecipe['merge_method'], listed: Listed, parameters: WrittenParameters = {}) => ({
  merge_method,
  base_model: 'base',
  models: listed,
  parameters,
});

const recipes: Record<string, WrittenRecipe> = {
  'passthrough, scaled': { merge_method: 'passthrough', models: [{ model: 'a', parameters: { scale: 0.7 } }] },
  linear: { merge_method: 'linear', models: models(mixed) },
  'linear, not normalised': { merge_method: 'linear', models: models(mixed), parameters: { normalize: false } },
  slerp: onBase('slerp', [{ model: 'stranger' }], { t: 0.35 }),
  'slerp of near relatives': onBase('slerp', [{ model: 'a' }], { t: 0.8 }),
  task_arithmetic: onBase('task_arithmetic', models(mixed), { lambda: 0.9, normalize: true }),
  ties: onBase('ties', models(mixed, { a: 0.53, b: 0.31 }), { lambda: 1.5 }),
  'ties, not normalised': onBase('ties', models(mixed, { a: 0.2, b: 0.1, c: 0.05 }), { normalize: false }),
  'ties of opposites': onBase('ties', models({ a: 0.5, mirrored: 0.5 }, { a: 0.9 })),
};

/** Stored type, what the recipe says about types, and the methods to try: all, or one of each kind of arithmetic. */
const all = Object.keys(recipes);
const some = ['linear', 'slerp', 'ties'];
// Opposites of 16 bits cancel out exactly; of wider types rounding would decide the votes.
const decided = all.filter((name) => name !== 'ties of opposites');
const types: readonly [FloatDtype, Pick<WrittenRecipe, 'dtype' | 'out_dtype'>, string[]][] = [
  ['BF16', {}, all],
  ['F16', {}, all],
  ['F32', {}, decided],
  ['F64', {}, decided],
  ['BF16', { dtype: 'float32' }, some],
  ['F32', { dtype: 'bfloat16' }, some],
  ['F32', { dtype: 'float16' }, some],
  ['F32', { out_dtype: 'bfloat16' }, some],
  ['F32', { out_dtype: 'float16' }, some],
  ['F64', { out_dtype: 'float32' }, some],
  ['F16', { dtype: 'float64', out_dtype: 'bfloat16' }, some],
];

describe.each(types)('%s with %j', (dtype, named, methods) => {
  let root = '';
  const stored = new Map<string, TinyCheckpoint['tensors']>();

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'amalgam-precision-'));
    const common = { sizes: SIZES, dtype };
    const base = tinyCheckpoint({ ...common, seed: 1 });
    const a = tinyCheckpoint({ ...common, seed: 2, parent: base });
    const checkpoints: Record<string, TinyCheckpoint> = {
      base,
      a,
      b: tinyCheckpoint({ ...common, seed: 3, parent: base }),
      c: tinyCheckpoint({ ...common, seed: 4, parent: base, change: 0.01 }),
      mirrored: mirrored(a, base),
      stranger: tinyCheckpoint({ ...common, seed: 5 }),
    };
    for (const [name, checkpoint] of Object.entries(checkpoints)) {
      writeCheckpoint(join(root, name), checkpoint);
      stored.set(name, checkpoint.tensors);
    }
  });
  afterAll(() => {
    rmSync(root, { recursive: true });
  });

  it.each(methods)('%s is as exact as promised', async (name) => {
    const recipe: WrittenRecipe = { merge_method: 'linear', ...recipes[name], ...named };
    const directory = join(root, `out ${name}`);
    await merge({ recipe: dump(recipe), directory, cwd: root });
    const { judged, wrong, open, elements, faults } = judge(directory, recipe, stored);
    expect(faults).toEqual([]);
    expect(judged / elements).toBeGreaterThan(0.9);
    // Equal magnitudes are common among 16-bit numbers; elsewhere almost nothing may escape judgement.
    expect(open / elements).toBeLessThan(dtype === 'BF16' || named.dtype === 'bfloat16' ? 0.05 : 0.005);
    // A sum in f32 is not its exact value rounded once to f32: there the bound alone counts.
    const result = named.out_dtype ?? named.dtype ?? dtype;
    if (/^(b?f|bfloat|float)16$/i.test(result)) expect(wrong / judged).toBeLessThanOrEqual(0.001);
  });
});

/** 2 base - model: its task vector is the other's with the signs turned, as far as the type can say so. */
function mirrored(model: TinyCheckpoint, base: TinyCheckpoint): TinyCheckpoint {
  const tensors = [...model.tensors].map(([name, tensor]): [string, StoredTensor] => {
    const [values, origin] = [valuesOf(tensor), valuesOf(base.tensors.get(name) ?? tensor)];
    const turned = values.map((value, i) => 2 * (origin[i] ?? 0) - value);
    return [name, { ...tensor, bytes: encode(tensor.dtype, turned) }];
  });
  return { ...model, tensors: new Map(tensors) };
}

function judge(
  directory: string,
  recipe: WrittenRecipe,
  stored: Models,
): { judged: number; wrong: number; open: number; elements: number; faults: string[] } {
  const ours = readModel(directory);
  const total = { judged: 0, wrong: 0, open: 0, elements: 0, faults: [] as string[] };
  for (const [name, expected] of referenceMerge(recipe, stored, SIZES.layers)) {
    const tensor = ours.get(name);
    if (tensor?.dtype !== expected.dtype) {
      total.faults.push(`${name} is ${tensor?.dtype ?? 'missing'}, not ${expected.dtype}`);
      continue;
    }
    const { worst, judged, wrong, open } = precisionOf(tensor, expected);
    if (worst > 1) total.faults.push(`${name}: an element is off by ${worst.toFixed(3)} times the bound`);
    total.judged += judged;
    total.wrong += wrong;
    total.open += open;
    total.elements += expected.value.length;
  }
  return total;
}
