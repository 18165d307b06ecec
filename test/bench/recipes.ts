/** What `npm run bench` merges: the method, the models it reads (folders beside each other) and the recipe. */
export interface BenchRecipe {
  method: string;
  models: readonly string[];
  text: string;
  /** Largest ratio to the plain copy that is promised. */
  limit: number;
  /** Smallest ratio of MergeKit's time to ours that is promised, whole process against whole process. */
  speedup?: number;
}

const pair =
  'models:\n- model: a\n  parameters: {weight: 0.6, density: 0.5}\n- model: b\n  parameters: {weight: 0.4, density: 0.5}\n';
const weights = 'models:\n- model: a\n  parameters: {weight: 0.6}\n- model: b\n  parameters: {weight: 0.4}\n';

const plain = 'models:\n- model: a\n- model: b\n';
const over = (method: string): string => `merge_method: ${method}\nbase_model: base\n${pair}`;

export const benchRecipes: readonly BenchRecipe[] = [
  { method: 'passthrough', models: ['a'], text: 'merge_method: passthrough\nmodels:\n- model: a\n', limit: 1.5 },
  { method: 'linear', models: ['a', 'b'], text: `merge_method: linear\n${weights}`, limit: 1.5, speedup: 8 },
  {
    method: 'slerp',
    models: ['a', 'b'],
    text: 'merge_method: slerp\nbase_model: a\nmodels:\n- model: a\n- model: b\nparameters: {t: 0.4}\n',
    limit: 1.5,
    speedup: 8,
  },
  { method: 'nuslerp', models: ['a', 'b'], text: `merge_method: nuslerp\n${weights}`, limit: 1.5, speedup: 8 },
  { method: 'multislerp', models: ['a', 'b'], text: `merge_method: multislerp\n${weights}`, limit: 1.5 },
  { method: 'karcher', models: ['a', 'b'], text: `merge_method: karcher\n${plain}`, limit: 1.5, speedup: 8 },
  {
    method: 'model_stock',
    models: ['base', 'a', 'b'],
    text: `merge_method: model_stock\nbase_model: base\n${plain}`,
    limit: 1.5,
    speedup: 6,
  },
  {
    method: 'nearswap',
    models: ['base', 'a'],
    text: 'merge_method: nearswap\nbase_model: base\nmodels:\n- model: a\nparameters: {t: 0.01}\n',
    limit: 1.5,
  },
  {
    method: 'expo',
    models: ['base', 'a'],
    text: 'merge_method: expo\nbase_model: base\nmodels:\n- model: a\nparameters: {alpha: 0.3}\n',
    limit: 1.5,
  },
  {
    method: 'dam',
    models: ['a', 'b'],
    text: 'merge_method: dam\nmodels:\n- model: a\n- model: b\ncoefficients: coefficients\n',
    limit: 1.5,
  },
  {
    method: 'lines',
    models: ['base', 'a', 'b'],
    text: `merge_method: lines\nbase_model: base\n${plain}parameters: {alpha: 0.2, beta: 0.7}\n`,
    limit: 1.5,
  },
  {
    method: 'task_arithmetic',
    models: ['base', 'a', 'b'],
    text: `merge_method: task_arithmetic\nbase_model: base\n${weights}`,
    limit: 1.5,
  },
  {
    method: 'ties',
    models: ['base', 'a', 'b'],
    text: `merge_method: ties\nbase_model: base\n${pair}`,
    limit: 2.5,
    speedup: 24,
  },
  {
    method: 'ram',
    models: ['base', 'a', 'b'],
    text: `merge_method: ram\nbase_model: base\n${plain}`,
    limit: 2.5,
  },
  {
    method: 'ramplus_tl',
    models: ['base', 'a', 'b'],
    text: `merge_method: ramplus_tl\nbase_model: base\n${plain}`,
    limit: 2.5,
  },
  {
    method: 'sce',
    models: ['base', 'a', 'b'],
    text: `merge_method: sce\nbase_model: base\n${plain}parameters: {select_topk: 0.5}\n`,
    limit: 2.5,
    speedup: 50,
  },
  {
    method: 'widen',
    models: ['base', 'a', 'b'],
    text: `merge_method: widen\nbase_model: base\n${plain}`,
    limit: 2.5,
  },
  { method: 'dare_linear', models: ['base', 'a', 'b'], text: over('dare_linear'), limit: 2.5, speedup: 8 },
  { method: 'dare_ties', models: ['base', 'a', 'b'], text: over('dare_ties'), limit: 2.5, speedup: 8 },
  {
    method: 'magmax',
    models: ['base', 'a', 'b'],
    text: 'merge_method: magmax\nbase_model: base\nmodels:\n- model: a\n- model: b\n',
    limit: 2.5,
  },
  { method: 'della', models: ['base', 'a', 'b'], text: over('della'), limit: 6, speedup: 12 },
  { method: 'della_linear', models: ['base', 'a', 'b'], text: over('della_linear'), limit: 6, speedup: 12 },
  { method: 'breadcrumbs', models: ['base', 'a', 'b'], text: over('breadcrumbs'), limit: 2.5, speedup: 24 },
  { method: 'breadcrumbs_ties', models: ['base', 'a', 'b'], text: over('breadcrumbs_ties'), limit: 2.5, speedup: 24 },
  {
    method: 'arcee_fusion',
    models: ['base', 'a'],
    text: 'merge_method: arcee_fusion\nbase_model: base\nmodels:\n- model: a\n',
    limit: 2.5,
  },
];

/** Merges of 20,000 tensors so small that nothing counts but what a merge does for each: recipes by method. */
export const manyTensorsRecipes: Readonly<Record<string, string>> = {
  linear: `merge_method: linear\n${weights}`,
  slerp: 'merge_method: slerp\nbase_model: a\nmodels:\n- model: b\nparameters: {t: 0.4}\n',
  ties: over('ties'),
};
