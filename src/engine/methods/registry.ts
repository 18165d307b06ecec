import type { MethodName } from '../../recipe/index.js';
import { EngineError } from '../errors.js';
import { expo } from './expo.js';
import { karcher } from './karcher.js';
import { linear } from './linear.js';
import type { Method, MergeOperation } from './method.js';
import { modelStock } from './model-stock.js';
import { multislerp } from './multislerp.js';
import { nearswap } from './nearswap.js';
import { nuslerp } from './nuslerp.js';
import { passthrough } from './passthrough.js';
import { slerp } from './slerp.js';
import { taskArithmetic } from './task-arithmetic.js';
import { ties } from './ties.js';

/** One way to compute, or one for each way in which an operation's settings want vectors to be cut. */
type Implementation = Method | ((operation: MergeOperation) => Method);

/** Methods this engine carries out; the recipe layer refuses the others before a plan is made. */
const implemented: Partial<Record<MethodName, Implementation>> = {
  expo,
  karcher,
  linear,
  model_stock: modelStock,
  multislerp,
  nearswap,
  nuslerp,
  passthrough,
  slerp,
  task_arithmetic: taskArithmetic,
  ties,
};

export function methodOf(operation: MergeOperation): Method {
  const method = implemented[operation.method];
  if (method !== undefined) return typeof method === 'function' ? method(operation) : method;
  throw new EngineError('not_supported_yet', `merge method ${operation.method} is not carried out yet`);
}
