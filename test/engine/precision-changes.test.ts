import { describePrecision } from '../support/precision-suite.js';
import type { WrittenParameters, WrittenRecipe } from '../support/recipes.js';

const models = ['a', 'b', 'c'].map((model) => ({ model }));
const onBase = (merge_method: WrittenRecipe['merge_method'], parameters: WrittenParameters = {}): WrittenRecipe => ({
  merge_method,
  base_model: 'base',
  models,
  parameters,
});

/** Methods that look at which elements the models changed. */
const recipes: Record<string, WrittenRecipe> = {
  ram: onBase('ram'),
  'ram, blind to small changes': onBase('ram', { epsilon: 0.013 }),
  ramplus_tl: onBase('ramplus_tl', { r: 0.7, alpha: 5 }),
  'ramplus_tl, blind to small changes': onBase('ramplus_tl', { r: 0.3, epsilon: 0.013 }),
  sce: onBase('sce'),
  'sce of a part': onBase('sce', { select_topk: 0.37 }),
  'sce of nothing': onBase('sce', { select_topk: 0.00001 }),
  arcee_fusion: { ...onBase('arcee_fusion'), models: [{ model: 'a' }] },
  'arcee_fusion of a stranger': { ...onBase('arcee_fusion'), models: [{ model: 'stranger' }] },
};

const all = Object.keys(recipes);
describePrecision(recipes, [
  ['BF16', {}, all],
  ['F16', {}, all],
  ['F32', {}, all],
  ['F64', {}, all],
  ['BF16', { dtype: 'float32', out_dtype: 'float16' }, ['ramplus_tl']],
]);
