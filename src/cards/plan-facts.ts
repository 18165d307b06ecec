import { DEFAULT_REPORT, type MergePlan } from '../engine/index.js';
import { type MethodName, methods } from '../recipe/index.js';
import type { ModelCard } from './model-card.js';

/** What a card says of a plan, whoever carried it out. Warnings about the recipe alone have served their purpose by then. */
export function planFacts(method: MethodName, plan: MergePlan) {
  const { name, title, doc, paper } = methods[method];
  return {
    method: { name, title, doc, ...(paper && { paper }) },
    parameterCount: plan.parameterCount,
    seed: plan.seed,
    shardBytes: plan.shardBytes,
    engineVersion: String(plan.engine),
    tensors: plan.outcome,
    warnings: plan.warnings.map(({ message }) => message),
    ...(plan.report !== DEFAULT_REPORT && { reportMode: plan.report }),
    allowNan: plan.allowNan,
  } satisfies Partial<ModelCard>;
}
