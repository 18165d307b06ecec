import type { MethodName } from '../../recipe/index.js';
import { breadcrumbs, breadcrumbsTies } from './breadcrumbs.js';
import { dareLinear, dareTies } from './dare.js';
import { arceeFusion } from './arcee-fusion.js';
import { dam } from './dam.js';
import { della, dellaLinear } from './della.js';
import { linear } from './linear.js';
import { lines } from './lines.js';
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
import { widen } from './widen.js';

/** One way to compute, or one for each way in which an operation's settings want vectors to be cut. */
type Implementation = Method | ((operation: MergeOperation) => Method);

/** How each method computes: a method without an entry does not compile. */
const implemented: Readonly<Record<MethodName, Implementation>> = {
  breadcrumbs,
  breadcrumbs_ties: breadcrumbsTies,
  dare_linear: dareLinear,
  dare_ties: dareTies,
  arcee_fusion: arceeFusion,
  dam,
  della,
  della_linear: dellaLinear,
  linear,
  lines,
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
  widen,
};

export function methodOf(operation: MergeOperation): Method {
  const method = implemented[operation.method];
  return typeof method === 'function' ? method(operation) : method;
}
