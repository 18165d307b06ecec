import { describePrecision, type PrecisionCase } from '../support/precision-suite.js';
import type { WrittenParameters, WrittenRecipe } from '../support/recipes.js';

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

/** All recipes, or one of each kind of arithmetic. */
const all = Object.keys(recipes);
const some = ['linear', 'slerp', 'ties'];
// Opposites of 16 bits cancel out exactly; of wider types rounding would decide the votes.
const decided = all.filter((name) => name !== 'ties of opposites');
const types: readonly PrecisionCase[] = [
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

describePrecision(recipes, types);
