// Over three models, `base`, `a` and `b`.

/** Methods that leave elements out share a part. */
const sparse = `base_model: base
models:
  - { model: a, parameters: { weight: 0.7, density: 0.31 } }
  - { model: b, parameters: { weight: 0.5, density: 0.77 } }
`;

/** A recipe of every method, and of those that go through a tensor in several ways one for each. */
export const methodRecipes: Record<string, string> = {
  linear: `merge_method: linear
models:
  - { model: a, parameters: { weight: 0.3 } }
  - { model: b, parameters: { weight: 0.6 } }
  - { model: base, parameters: { weight: 0.4 } }
`,
  task_arithmetic: `merge_method: task_arithmetic
base_model: base
models:
  - { model: a, parameters: { weight: 0.7 } }
  - { model: b, parameters: { weight: -0.2 } }
`,
  slerp: `merge_method: slerp
base_model: a
models:
  - { model: b }
parameters: { t: 0.37 }
dtype: float32
`,
  nuslerp: `merge_method: nuslerp
base_model: base
models:
  - { model: a, parameters: { weight: 0.7 } }
  - { model: b, parameters: { weight: 0.5 } }
`,
  'nuslerp by columns': `merge_method: nuslerp
models:
  - { model: a, parameters: { weight: 0.7 } }
  - { model: b, parameters: { weight: 0.5 } }
parameters: { nuslerp_flatten: false, nuslerp_row_wise: true }
`,
  multislerp: `merge_method: multislerp
models:
  - { model: a, parameters: { weight: 0.7 } }
  - { model: b, parameters: { weight: 0.5 } }
  - { model: base, parameters: { weight: 0.3 } }
`,
  karcher: 'merge_method: karcher\nmodels: [{ model: a }, { model: b }, { model: base }]\n',
  model_stock: 'merge_method: model_stock\nbase_model: base\nmodels: [{ model: a }, { model: b }]\n',
  'model_stock by rows': `merge_method: model_stock
base_model: base
models: [{ model: a }, { model: b }]
parameters: { filter_wise: true }
`,
  nearswap: 'merge_method: nearswap\nbase_model: base\nmodels: [{ model: a }]\nparameters: { t: 0.01 }\n',
  expo: 'merge_method: expo\nbase_model: base\nmodels: [{ model: a }]\nparameters: { alpha: 0.3 }\n',
  dam: 'merge_method: dam\nmodels: [{ model: a }, { model: b }]\ncoefficients: coefficients\n',
  lines: `merge_method: lines
base_model: base
models: [{ model: a }, { model: b }]
parameters: { alpha: 0.2, beta: 0.7 }
`,
  widen: 'merge_method: widen\nbase_model: base\nmodels: [{ model: a }, { model: b }]\n',
  ties: `merge_method: ties
base_model: base
models:
  - { model: a, parameters: { weight: 0.7, density: 0.31 } }
  - { model: b, parameters: { weight: 0.5, density: 0.77 } }
parameters: { normalize: true }
`,
  ram: 'merge_method: ram\nbase_model: base\nmodels: [{ model: a }, { model: b }]\nparameters: { epsilon: 0.01 }\n',
  ramplus_tl: `merge_method: ramplus_tl
base_model: base
models: [{ model: a }, { model: b }]
parameters: { epsilon: 0.5 }
`,
  sce: `merge_method: sce
base_model: base
models: [{ model: a }, { model: b }]
parameters: { select_topk: 0.4 }
`,
  arcee_fusion: `merge_method: arcee_fusion
base_model: base
models: [{ model: a }]
`,
  breadcrumbs: `merge_method: breadcrumbs\n${sparse}parameters: { rescale: l1 }\n`,
  dare_linear: `merge_method: dare_linear\n${sparse}`,
  dare_ties: `merge_method: dare_ties\n${sparse}parameters: { rescale: inverse_density }\n`,
  magmax: 'merge_method: magmax\nbase_model: base\nmodels: [{ model: a }, { model: b }]\n',
  della: `merge_method: della\n${sparse}`,
  della_linear: `merge_method: della_linear\n${sparse}parameters: { rescale: inverse_density }\n`,
  breadcrumbs_ties: `merge_method: breadcrumbs_ties\n${sparse}`,
};
