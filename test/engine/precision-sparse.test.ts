import { describePrecision, type PrecisionCase } from '../support/precision-suite.js';
import type { WrittenParameters, WrittenRecipe } from '../support/recipes.js';

type Listed = NonNullable<WrittenRecipe['models']>;

/** Recipes over `base` of models with these parameters. */
function over(
  merge_method: WrittenRecipe['merge_method'],
  models: Record<string, WrittenParameters>,
  parameters: WrittenParameters = {},
): WrittenRecipe {
  const listed: Listed = Object.entries(models).map(([model, own]) => ({ model, parameters: own }));
  return { merge_method, base_model: 'base', models: listed, parameters };
}

const mixed = { a: { weight: 0.7, density: 0.53 }, b: { weight: -0.35, density: 0.31 }, c: { weight: 0.3 } };
const alike = { a: { weight: 0.7, density: 0.53 }, b: { weight: 0.4, density: 0.3 }, c: { weight: 0.3, density: 0.9 } };
const cut = {
  a: { weight: 0.7, density: 0.53, gamma: 0.2 },
  b: { weight: -0.35, density: 0.8, gamma: 0.4 },
  c: { weight: 0.3, density: 0.4 },
};

const spread = {
  a: { weight: 0.7, density: 0.53, epsilon: 0.3 },
  b: { weight: 0.35, density: 0.1 },
  c: { weight: 0.3 },
};

const recipes: Record<string, WrittenRecipe> = {
  'ties, rescaled': over('ties', alike, { rescale: true }),
  'ties, rescaled by density': over('ties', alike, { rescale: 'inverse_density', lambda: 0.8 }),
  'ties, votes without weights': over('ties', mixed, { weighted_election: false }),
  breadcrumbs: over('breadcrumbs', cut, { lambda: 1.2 }),
  'breadcrumbs, rescaled': over('breadcrumbs', cut, { rescale: 'l1', normalize: true }),
  'breadcrumbs, rescaled by density': over('breadcrumbs', cut, { rescale: 'inverse_density' }),
  breadcrumbs_ties: over('breadcrumbs_ties', cut),
  'breadcrumbs_ties, rescaled': over('breadcrumbs_ties', cut, { rescale: 'l1', normalize: true }),
  'breadcrumbs_ties, votes without weights': over('breadcrumbs_ties', cut, { weighted_election: false }),
  magmax: over('magmax', { a: {}, b: {}, c: {} }, { lambda: 0.6 }),
  'magmax of opposites': over('magmax', { a: {}, mirrored: {}, b: {} }),
  dare_linear: over('dare_linear', mixed, { lambda: 0.7 }),
  'dare_linear, as in the paper': over('dare_linear', mixed, { rescale: 'inverse_density', normalize: true }),
  'dare_linear, not rescaled': over('dare_linear', mixed, { rescale: 'none' }),
  dare_ties: over('dare_ties', alike, { normalize: true }),
  'dare_ties, as in the paper': over('dare_ties', mixed, { rescale: 'inverse_density' }),
  della: over('della', spread),
  'della, as in the paper': over('della', spread, { rescale: 'inverse_density', normalize: false }),
  della_linear: over('della_linear', spread, { lambda: 0.8 }),
  'della_linear, not rescaled': over('della_linear', mixed, { rescale: false }),
  'della_linear, as in the paper': over('della_linear', spread, { rescale: 'inverse_density' }),
};

/** All recipes, or one of each kind of arithmetic. */
const all = Object.keys(recipes);
const some = [
  'breadcrumbs, rescaled',
  'breadcrumbs_ties',
  'dare_linear',
  'dare_ties',
  'magmax',
  'della',
  'della_linear',
];
// Opposites of 16 bits are equally large; of wider types rounding would decide which is larger.
const decided = all.filter((name) => !name.endsWith('opposites'));
// The norm of a tensor, summed in f64, has roundings that the bound of f64 has no term for.
const withoutNorms = decided.filter(
  (name) => !/rescaled$|^(dare_linear|dare_ties|della|della_linear)$/.test(name) || name.includes('not'),
);
const types: readonly PrecisionCase[] = [
  ['BF16', {}, all],
  ['F16', {}, all],
  ['F32', {}, decided],
  ['F64', {}, withoutNorms],
  ['BF16', { dtype: 'float32' }, some],
  ['F32', { dtype: 'bfloat16' }, some],
  ['F64', { out_dtype: 'float32' }, some],
];

describePrecision(recipes, types);
