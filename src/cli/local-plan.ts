import { DEFAULT_SHARD_BYTES, type MergePlan, plan, type ReportMode } from '../engine/index.js';
import { parseRecipe, recipeText, type Recipe } from '../recipe/index.js';
import { formatIssue } from './describe-error.js';
import type { RecipeText } from './failure.js';
import { type LocalModel, openLocalModels } from './local-models.js';

export interface LocalPlanOptions {
  lenient?: boolean;
  outShardSize?: number;
  randomSeed?: number;
  copyTokenizer?: boolean;
  allowNan?: boolean;
  report?: ReportMode;
  numThreads?: number;
}

export interface LocalPlan {
  recipe: Recipe;
  /** As it was written; of a preset, what it stands for. */
  recipeText: string;
  models: Map<string, LocalModel>;
  plan: MergePlan;
  /** One line each: the recipe's and the plan's. */
  warnings: string[];
}

/** Plans a recipe whose models are directories. @throws RecipeError, EngineError, Failure */
export async function planLocally(source: RecipeText, options: LocalPlanOptions): Promise<LocalPlan> {
  const { recipe, warnings, fromPreset } = parseRecipe(source.text, {
    lenient: options.lenient ?? false,
    executable: true,
  });
  const models = await openLocalModels(recipe);
  const merge = await plan(recipe, {
    models,
    shardBytes: options.outShardSize ?? DEFAULT_SHARD_BYTES,
    copyTokenizer: options.copyTokenizer ?? true,
    allowNan: options.allowNan ?? false,
    ...(options.report !== undefined && { report: options.report }),
    ...(options.randomSeed !== undefined && { seed: options.randomSeed }),
    ...(options.numThreads !== undefined && { threads: options.numThreads }),
  });
  return {
    recipe,
    recipeText: fromPreset ? recipeText(merge.recipe) : source.text,
    models,
    plan: merge,
    warnings: [...warnings, ...merge.warnings].map((warning) => formatIssue('warning', warning, source)),
  };
}
