import { describePrecision, type PrecisionCase } from '../support/precision-suite.js';
import type { WrittenParameters, WrittenRecipe } from '../support/recipes.js';

type Recipe = Omit<WrittenRecipe, 'merge_method'>;
const weighted = (weights: Record<string, number>, parameters: WrittenParameters = {}): Recipe => ({
  models: Object.entries(weights).map(([model, weight]) => ({ model, parameters: { weight } })),
  parameters,
});
const equal = (models: string[], parameters: WrittenParameters = {}): Recipe => ({
  models: models.map((model) => ({ model })),
  parameters,
});
const onBase = (recipe: Recipe): Recipe => ({ ...recipe, base_model: 'base' });

const pair = { a: 0.7, b: 0.35 };
const rows = { nuslerp_flatten: false };
const columns = { nuslerp_flatten: false, nuslerp_row_wise: true };

const recipes: Record<string, WrittenRecipe> = {
  nuslerp: { merge_method: 'nuslerp', ...weighted({ stranger: 0.7, a: 0.35 }) },
  'nuslerp of relatives': { merge_method: 'nuslerp', ...weighted(pair) },
  'nuslerp by rows': { merge_method: 'nuslerp', ...weighted({ stranger: 0.7, a: 0.35 }, rows) },
  'nuslerp by columns': { merge_method: 'nuslerp', ...weighted({ stranger: 0.7, a: -0.2 }, columns) },
  'nuslerp of task vectors': { merge_method: 'nuslerp', ...onBase(weighted(pair)) },
  'nuslerp of task vectors by rows': { merge_method: 'nuslerp', ...onBase(weighted(pair, rows)) },
  'nuslerp of task vectors by columns': { merge_method: 'nuslerp', ...onBase(weighted(pair, columns)) },
  multislerp: { merge_method: 'multislerp', ...weighted({ a: 0.7, stranger: -0.2, c: 0.3 }) },
  'multislerp of task vectors': { merge_method: 'multislerp', ...onBase(weighted({ ...pair, stranger: 0.1 })) },
  'multislerp, not normalised': {
    merge_method: 'multislerp',
    ...onBase(weighted({ a: 0.4, b: 0.2 }, { normalize_weights: false })),
  },
  karcher: { merge_method: 'karcher', ...equal(['a', 'stranger', 'base']) },
  'karcher, three steps': { merge_method: 'karcher', ...equal(['a', 'stranger'], { max_iter: 3, tol: 0.001 }) },
  model_stock: { merge_method: 'model_stock', ...onBase(equal(['a', 'b', 'stranger'])) },
  'model_stock by rows': { merge_method: 'model_stock', ...onBase(equal(['a', 'b'], { filter_wise: true })) },
  nearswap: { merge_method: 'nearswap', ...onBase(equal(['a'], { t: 0.004 })) },
  expo: { merge_method: 'expo', ...onBase(equal(['a'], { alpha: 0.3 })) },
};

const all = Object.keys(recipes);
// The reference has errors of f64 too: of small angles and short columns it cannot judge f64.
const wide = ['nuslerp', 'nuslerp by rows', 'nuslerp of task vectors', 'expo'];
const types: readonly PrecisionCase[] = [
  ['BF16', {}, all],
  ['F16', {}, all],
  ['F32', {}, all],
  ['F64', {}, wide],
  ['F32', { dtype: 'bfloat16' }, ['nuslerp by columns']],
];

describePrecision(recipes, types);
