import type { MethodName } from '../../src/recipe/index.js';
import type { ReferenceCall } from './reference-call.js';
import { expo, karcher, modelStock, multislerp, nearswap, nuslerp } from './reference-geometry.js';
import {
  type ExactTensor,
  linear,
  slerp,
  taskArithmetic,
  type TaskVectors,
  ties,
  weightedSum,
} from './reference-methods.js';

export type { ReferenceCall } from './reference-call.js';

export type Reference = (call: ReferenceCall) => ExactTensor;

/** The exact result of each method, from its formula alone. */
export const references: Partial<Record<MethodName, Reference>> = {
  passthrough: ({ inputs, ofInputs }) => weightedSum(inputs, ofInputs('scale', 1)),
  linear: ({ inputs, ofInputs, global }) => linear(inputs, ofInputs('weight'), global('normalize', 1) !== 0),
  slerp: ({ base, models, global }) => slerp(base, models[0] ?? base, global('t')),
  task_arithmetic: (call) => taskArithmetic(taskVectors(call, 0)),
  nuslerp,
  multislerp,
  karcher,
  model_stock: modelStock,
  nearswap,
  expo,
  ties: (call) => ties({ ...taskVectors(call, 1), densities: call.ofModels('density', 1) }),
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
