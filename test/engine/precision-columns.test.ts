import { describePrecision, type PrecisionCase } from '../support/precision-suite.js';
import type { WrittenRecipe } from '../support/recipes.js';

const models = [{ model: 'a' }, { model: 'b' }];
const recipes: Record<string, WrittenRecipe> = {
  dam: { merge_method: 'dam', models: [...models, { model: 'stranger' }], coefficients: 'coefficients' },
  lines: {
    merge_method: 'lines',
    base_model: 'base',
    models: [
      { model: 'a', parameters: { weight: 0.7 } },
      { model: 'b', parameters: { weight: 0.5 } },
    ],
    parameters: { alpha: 0.3, beta: 0.6, normalize: true },
  },
  'lines of a stack': {
    merge_method: 'lines',
    base_model: 'base',
    slices: [0, 1, 2].map(() => ({
      sources: ['base', 'a', 'c'].map((model) => ({ model, layer_range: [0, 1] })),
    })),
    parameters: { alpha: 0.2, beta: 0.9 },
  },
  widen: { merge_method: 'widen', base_model: 'base', models },
  'widen, otherwise calibrated': {
    merge_method: 'widen',
    base_model: 'base',
    models: [...models, { model: 'stranger' }],
    parameters: { above_average_value_ratio: 1.37, score_calibration_value: 0.7 },
  },
};

const all = Object.keys(recipes);
const types: readonly PrecisionCase[] = [
  ['BF16', {}, all],
  ['F16', {}, all],
  ['F32', {}, all],
  ['F64', {}, ['dam', 'lines', 'lines of a stack']],
  ['F32', { dtype: 'bfloat16' }, ['dam', 'widen']],
];

describePrecision(recipes, types);
