import type { MethodName } from '../../recipe/index.js';
import { EngineError } from '../errors.js';
import { breadcrumbs, breadcrumbsTies } from './breadcrumbs.js';
import { dareLinear, dareTies } from './dare.js';
import { arceeFusion } from './arcee-fusion.js';
import { della, dellaLinear } from './della.js';
import { linear } from './linear.js';
import { magmax } from './magmax.js';
import type { Method } from './method.js';
import { passthrough } from './passthrough.js';
import { ram } from './ram.js';
import { ramplusTl } from './ramplus-tl.js';
import { sce } from './sce.js';
import { slerp } from './slerp.js';
import { taskArithmetic } from './task-arithmetic.js';
import { ties } from './ties.js';

/** Methods this engine carries out; the recipe layer refuses the others before a plan is made. */
const implemented: Partial<Record<MethodName, Method>> = {
  breadcrumbs,
  breadcrumbs_ties: breadcrumbsTies,
  dare_linear: dareLinear,
  dare_ties: dareTies,
  arcee_fusion: arceeFusion,
  della,
  della_linear: dellaLinear,
  linear,
  magmax,
  passthrough,
  ram,
  ramplus_tl: ramplusTl,
  sce,
  slerp,
  task_arithmetic: taskArithmetic,
  ties,
};

export function methodOf(name: MethodName): Method {
  const method = implemented[name];
  if (method === undefined) throw new EngineError('not_supported_yet', `merge method ${name} is not carried out yet`);
  return method;
}
