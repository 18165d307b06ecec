import type { MethodName } from '../../src/recipe/index.js';
import type { Random } from './random.js';
import type { WrittenParameters, WrittenSetting } from './recipes.js';

/** What a method's parameters are drawn with. */
export interface Draws {
  random: Random;
  /** A number, a gradient of them, or conditions. */
  setting(value: () => number): WrittenSetting;
  weight(): number;
  density(): number;
  /** The parameter with this chance, else nothing. */
  maybe(chance: number, parameters: () => WrittenParameters): WrittenParameters;
}

export interface DrawnMethod {
  /** How many models beside the base. */
  models: readonly [least: number, most: number];
  base: 'always' | 'sometimes' | 'never';
  ofModel?(draws: Draws): WrittenParameters;
  global?(draws: Draws): WrittenParameters;
  /**
   * What an element becomes hangs on comparing it with others: where one of the programs has rounded before it compares,
   * the results have nothing to do with each other, so only types are drawn in which neither does.
   */
  compares?: 'in f32' | 'in f64';
}

const weight = ({ setting, weight: value }: Draws): WrittenParameters => ({ weight: setting(value) });
const weightAndDensity = (draws: Draws): WrittenParameters => ({
  ...weight(draws),
  density: draws.setting(draws.density),
});
/** The only density at which DARE and DELLA leave nothing to chance. */
const weightAndWhole = (draws: Draws): WrittenParameters => ({
  ...weight(draws),
  ...draws.maybe(0.5, () => ({ density: 1 })),
});
const lambda = (draws: Draws): WrittenParameters => ({
  ...draws.maybe(0.5, () => ({ normalize: draws.random.chance(0.5) })),
  ...draws.maybe(0.5, () => ({ lambda: draws.setting(() => round(0.3 + draws.random.next())) })),
});
const rescaled = (draws: Draws): WrittenParameters => ({
  ...lambda(draws),
  ...draws.maybe(0.4, () => ({ rescale: draws.random.chance(0.5) })),
  ...draws.maybe(0.3, () => ({ int8_mask: true })),
});
const outliers = (draws: Draws): WrittenParameters => ({
  ...weightAndDensity(draws),
  ...draws.maybe(0.6, () => ({ gamma: draws.setting(() => draws.random.pick([0, 0.01, 0.1, 0.3])) })),
});

const some = [1, 3] as const;
const one = [1, 1] as const;

/** MergeKit's methods, with parameters under which nothing is left to chance. */
export const drawn = {
  passthrough: {
    models: one,
    base: 'never',
    ofModel: (draws) => draws.maybe(0.6, () => ({ scale: draws.setting(draws.weight) })),
  },
  linear: {
    models: [2, 4],
    base: 'never',
    ofModel: weight,
    global: ({ random, maybe }) => maybe(0.4, () => ({ normalize: random.chance(0.5) })),
  },
  task_arithmetic: { models: some, base: 'always', ofModel: weight, global: lambda },
  slerp: {
    models: one,
    base: 'always',
    global: ({ random, setting }) => ({ t: setting(() => round(random.next() * 1.2 - 0.1)) }),
  },
  ties: { models: some, base: 'always', ofModel: weightAndDensity, global: rescaled, compares: 'in f32' },
  nuslerp: {
    models: [2, 2],
    base: 'sometimes',
    ofModel: weight,
    global: ({ random, maybe }) =>
      maybe(0.7, () => ({ nuslerp_flatten: random.chance(0.2), nuslerp_row_wise: random.chance(0.5) })),
  },
  multislerp: {
    models: some,
    base: 'sometimes',
    ofModel: weight,
    global: ({ random, maybe }) => maybe(0.4, () => ({ normalize_weights: random.chance(0.5) })),
  },
  karcher: {
    models: [2, 4],
    base: 'never',
    global: ({ random, maybe }) => ({
      ...maybe(0.5, () => ({ max_iter: random.pick([1, 2, 5, 20]) })),
      ...maybe(0.3, () => ({ tol: random.pick([1e-6, 1e-3]) })),
    }),
  },
  breadcrumbs: { models: some, base: 'always', ofModel: outliers, global: rescaled, compares: 'in f32' },
  breadcrumbs_ties: { models: some, base: 'always', ofModel: outliers, global: rescaled, compares: 'in f32' },
  model_stock: {
    models: [2, 3],
    base: 'always',
    global: ({ random, maybe }) => maybe(0.7, () => ({ filter_wise: random.chance(0.7) })),
  },
  sce: {
    models: some,
    base: 'always',
    global: ({ random, setting, maybe }) => ({
      ...maybe(0.7, () => ({ select_topk: setting(() => random.pick([1, 0.7, 0.35, 0.1, 0.004, 0])) })),
      ...maybe(0.3, () => ({ int8_mask: true })),
    }),
    compares: 'in f32',
  },
  nearswap: {
    models: one,
    base: 'always',
    global: ({ random, setting }) => ({ t: setting(() => round(random.next() * 0.08)) }),
  },
  arcee_fusion: { models: one, base: 'always', compares: 'in f64' },
  ram: {
    models: some,
    base: 'always',
    global: ({ random, setting, maybe }) =>
      maybe(0.7, () => ({ epsilon: setting(() => random.pick([0, 1e-5, 0.01, 0.05])) })),
    compares: 'in f32',
  },
  ramplus_tl: {
    models: some,
    base: 'always',
    global: ({ random, setting, maybe }) => ({
      ...maybe(0.7, () => ({ epsilon: setting(() => random.pick([1e-5, 0.01, 0.05])) })),
      ...maybe(0.7, () => ({ r: setting(() => round(random.next())) })),
      ...maybe(0.5, () => ({ alpha: round(random.next() * 3) })),
    }),
    compares: 'in f32',
  },
  dare_linear: { models: some, base: 'always', ofModel: weightAndWhole, global: rescaled },
  dare_ties: { models: some, base: 'always', ofModel: weightAndWhole, global: rescaled, compares: 'in f32' },
  della_linear: { models: some, base: 'always', ofModel: weightAndWhole, global: rescaled },
  della: { models: some, base: 'always', ofModel: weightAndWhole, global: rescaled, compares: 'in f32' },
} satisfies Partial<Record<MethodName, DrawnMethod>>;

export const drawnMethods = Object.keys(drawn) as (keyof typeof drawn)[];

export function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
