export interface DemoMerge {
  output: string;
  /** What is being done, for people. */
  title: string;
  recipe: string;
}

/** One method of each kind, and in the last a merge of merges, so that the lineage has more than one step. */
export const demoMerges: readonly DemoMerge[] = [
  {
    output: 'demo/linear',
    title: 'LINEAR: the weighted average of two experts',
    recipe: `merge_method: linear
models:
  - model: samples/reverse
    parameters: { weight: 0.6 }
  - model: samples/sort
    parameters: { weight: 0.4 }
`,
  },
  {
    output: 'demo/ties',
    title: 'TIES: what three experts learned, without what they disagree on',
    recipe: `merge_method: ties
base_model: samples/base
models:
  - model: samples/reverse
    parameters: { weight: 1.0, density: 0.6 }
  - model: samples/sort
    parameters: { weight: 1.0, density: 0.6 }
  - model: samples/light
    parameters: { weight: 0.5, density: 0.3 }
`,
  },
  {
    output: 'demo/slerp',
    title: 'SLERP: halfway between those two results, on the sphere',
    recipe: `merge_method: slerp
base_model: demo/linear
models:
  - model: demo/ties
parameters:
  t: 0.5
`,
  },
];
