import { arceeFusion } from './arcee-fusion.js';
import { breadcrumbs } from './breadcrumbs.js';
import { breadcrumbsTies } from './breadcrumbs-ties.js';
import { dam } from './dam.js';
import { dareLinear } from './dare-linear.js';
import { dareTies } from './dare-ties.js';
import { della } from './della.js';
import { dellaLinear } from './della-linear.js';
import { expo } from './expo.js';
import { karcher } from './karcher.js';
import { linear } from './linear.js';
import { lines } from './lines.js';
import { magmax } from './magmax.js';
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
import type { MethodDefinition, MethodName } from './method.js';

/** Every method that MergeKit has and those beyond, by the name that recipes use. */
export const methods: Readonly<Record<MethodName, MethodDefinition>> = {
  linear,
  slerp,
  nuslerp,
  multislerp,
  karcher,
  task_arithmetic: taskArithmetic,
  ties,
  dare_linear: dareLinear,
  dare_ties: dareTies,
  breadcrumbs,
  breadcrumbs_ties: breadcrumbsTies,
  della_linear: dellaLinear,
  della,
  model_stock: modelStock,
  nearswap,
  arcee_fusion: arceeFusion,
  sce,
  ram,
  ramplus_tl: ramplusTl,
  passthrough,
  magmax,
  expo,
  dam,
  lines,
  widen,
};

const parameterWords = new Set(
  Object.values(methods).flatMap((method) =>
    Object.values(method.parameters).flatMap(({ words = {} }) => Object.keys(words)),
  ),
);

/** Whether some parameter takes this word; which one does is checked with the parameter's type. */
export function isParameterWord(text: string): boolean {
  return parameterWords.has(text);
}

/** The method of that name, or undefined: names come from recipes, so prototype members must not be found. */
export function findMethod(name: string): MethodDefinition | undefined {
  return Object.hasOwn(methods, name) ? methods[name as MethodName] : undefined;
}
