import type { MethodName } from '../../recipe/index.js';
import { EngineError } from '../errors.js';
import { breadcrumbs, breadcrumbsTies } from './breadcrumbs.js';
import { dareLinear, dareTies } from './dare.js';
import { arceeFusion } from './arcee-fusion.js';
import { della, dellaLinear } from './della.js';
import { linear } from './linear.js';
import { magmax } from './magmax.js';
import { expo } from './expo.js';
import { karcher } from './karcher.js';
import type { Method, MergeOperation } from './method.js';
import { modelStock } from './model-stock.js';
import { multislerp } from './multislerp.js';
import { nearswap } from './nearswap.js';
import { nuslerp } from './nuslerp.js';
import { passthrough } from './passthrough.js';
import { ram } from './ram.js';
import { ramplusTl } from './ramplus-tl.js';
import { sce } from './sce.js';
import { slerp } from './slerp.js';
import { taskArithmetic } from './task-arithmetic.js';
import { ties } from './ties.js';

/** One way to compute, or one for each way in which an operation's settings want vectors to be cut. */
type Implementation = Method | ((operation: MergeOperation) => Method);

/** Methods this engine carries out; the recipe layer refuses the others before a plan is made. */
const implemented: Partial<Record<MethodName, Implementation>> = {
  breadcrumbs,
  breadcrumbs_ties: breadcrumbsTies,
  dare_linear: dareLinear,
  dare_ties: dareTies,
  arcee_fusion: arceeFusion,
  della,
  della_linear: dellaLinear,
  linear,
  magmax,
  expo,
  karcher,
  model_stock: modelStock,
  multislerp,
  nearswap,
  nuslerp,
  passthrough,
  ram,
  ramplus_tl: ramplusTl,
  sce,
  slerp,
  task_arithmetic: taskArithmetic,
  ties,
};

export function methodOf(operation: MergeOperation): Method {
  const method = implemented[operation.method];
  if (method !== undefined) return typeof method === 'function' ? method(operation) : method;
  throw new EngineError('not_supported_yet', `merge method ${operation.method} is not carried out yet`);
}
