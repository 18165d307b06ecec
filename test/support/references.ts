import type { MethodName } from '../../src/recipe/index.js';
import { arceeFusion } from './reference-fusion.js';
import type { Reference, ReferenceCall } from './reference-call.js';
import { expo, karcher, modelStock, multislerp, nearswap, nuslerp } from './reference-geometry.js';
import { dam, widen } from './reference-columns.js';
import { breadcrumbs, dare, della, magnitudes } from './reference-masks.js';
import { linear, slerp, taskArithmetic, type TaskVectors, ties, weightedSum } from './reference-methods.js';
import { ram } from './reference-ram.js';
import { sce } from './reference-sce.js';

import { magmax } from './reference-magmax.js';
import { added, elected } from './reference-sparse.js';

/** The exact result of each method, from its formula alone. */
export const references: Partial<Record<MethodName, Reference>> = {
  passthrough: ({ inputs, ofInputs }) => weightedSum(inputs, ofInputs('scale', 1)),
  linear: ({ inputs, ofInputs, global }) => linear(inputs, ofInputs('weight'), global('normalize', 1) !== 0),
  slerp: ({ base, models, global }) => slerp(base, models[0] ?? base, global('t')),
  arcee_fusion: ({ base, models, shape }) => arceeFusion(base, models[0] ?? base, shape.at(-1) ?? 1),
  ram: ({ base, models, global }) => ram({ base, models, epsilon: global('epsilon', 1e-5) }),
  ramplus_tl: ({ base, models, global }) => {
    const enlarged = { r: global('r', 0.1), alpha: global('alpha', 0.2) };
    return ram({ base, models, epsilon: global('epsilon', 1e-5), enlarged });
  },
  sce: ({ base, models, global }) => sce(base, models, global('select_topk', 1)),
  task_arithmetic: (call) => taskArithmetic(taskVectors(call, 0)),
  ties: (call) =>
    call.written('rescale') === undefined && call.written('weighted_election') === undefined
      ? ties({ ...taskVectors(call, 1), densities: call.ofModels('density', 1) })
      : elected(call, taskVectors(call, 1), magnitudes(call)),
  magmax,
  dare_linear: (call) => added(call, taskVectors(call, 0), dare(call), true),
  dare_ties: (call) => elected(call, taskVectors(call, 0), dare(call), true),
  della_linear: (call) => added(call, taskVectors(call, 0), della(call), true),
  della: (call) => elected(call, taskVectors(call, 1), della(call), true),
  breadcrumbs: (call) => added(call, taskVectors(call, 0), breadcrumbs(call)),
  breadcrumbs_ties: (call) => elected(call, taskVectors(call, 0), breadcrumbs(call)),
  nuslerp,
  multislerp,
  karcher,
  model_stock: modelStock,
  nearswap,
  expo,
  dam,
  lines: (call) => {
    const factor = call.global('alpha') + call.global('beta') * call.depth;
    const { base, models } = call;
    const weights = call.ofModels('weight', 1);
    return taskArithmetic({ base, models, weights, normalize: call.global('normalize', 0) !== 0, lambda: factor });
  },
  widen,
};

/** @param normalize the method's default */
export function taskVectors({ base, models, ofModels, global }: ReferenceCall, normalize: 0 | 1): TaskVectors {
  return {
    base,
    models,
    weights: ofModels('weight'),
    normalize: global('normalize', normalize) !== 0,
    lambda: global('lambda', 1),
  };
}
