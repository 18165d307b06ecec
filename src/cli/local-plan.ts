import { DEFAULT_SHARD_BYTES, EngineError, type MergePlan, plan, type ReportMode } from '../engine/index.js';
import { parseRecipe, recipeText, type Recipe, type Stage } from '../recipe/index.js';
import { formatIssue } from './describe-error.js';
import { Failure, type RecipeText } from './failure.js';
import { type LocalModel, openLocalModels, plannedModel } from './local-models.js';

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
  /** What has to be merged before, in order. */
  stages: LocalStage[];
}

/** A merge whose result another one needs. */
export interface LocalStage extends Pick<LocalPlan, 'recipe' | 'models' | 'plan'> {
  name: string;
  /** Where its result is kept until the last of them is done. */
  directory: string;
}

/**
 * Plans a recipe whose models are directories, and those of its stages: all from headers, before any of them is merged.
 * @param stageDirectory where the result of a stage will lie
 * @throws RecipeError, EngineError, Failure
 */
export async function planLocally(
  source: RecipeText,
  options: LocalPlanOptions,
  stageDirectory: (name: string, digest: string) => string = (name) => name,
): Promise<LocalPlan> {
  const {
    recipe,
    stages: written,
    warnings,
    fromPreset,
  } = parseRecipe(source.text, {
    lenient: options.lenient ?? false,
    executable: true,
  });
  const made = new Map<string, LocalModel>();
  const stages: LocalStage[] = [];
  const issues: { code: string; message: string; pointer?: string }[] = [...warnings];
  const planStage = async (stage: Stage): Promise<Pick<LocalStage, 'recipe' | 'models' | 'plan'>> => {
    const prefix = recipe.stages === undefined ? '' : `/${stage.document}`;
    return inDocument(prefix, async () => {
      const models = await openLocalModels(stage.recipe, made);
      const merge = await planModels(stage.recipe, models, options);
      issues.push(...merge.warnings.map(({ pointer, ...rest }) => ({ ...rest, ...(pointer !== undefined && { pointer: prefix + pointer }) }))); // prettier-ignore
      return { recipe: stage.recipe, models, plan: merge };
    });
  };
  for (const stage of written.slice(0, -1)) {
    const planned = await planStage(stage);
    const { name = '' } = stage.recipe;
    const directory = stageDirectory(name, planned.plan.digest);
    made.set(name, await plannedModel(planned.plan, planned.models, directory));
    stages.push({ ...planned, name, directory });
  }
  const last = await planStage(written.at(-1) ?? { recipe, document: 0, uses: [] });
  return {
    ...last,
    recipeText: fromPreset && stages.length === 0 ? recipeText(last.plan.recipe) : source.text,
    warnings: issues.map((warning) => formatIssue('warning', warning, source)),
    stages,
  };
}

function planModels(
  recipe: Recipe,
  models: ReadonlyMap<string, LocalModel>,
  options: LocalPlanOptions,
): Promise<MergePlan> {
  return plan(recipe, {
    models,
    shardBytes: options.outShardSize ?? DEFAULT_SHARD_BYTES,
    copyTokenizer: options.copyTokenizer ?? true,
    allowNan: options.allowNan ?? false,
    ...(options.report !== undefined && { report: options.report }),
    ...(options.randomSeed !== undefined && { seed: options.randomSeed }),
    ...(options.numThreads !== undefined && { threads: options.numThreads }),
  });
}

/** Refusals point into a recipe; of several in one text, the first part of a pointer says which. */
async function inDocument<T>(prefix: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof EngineError && error.details.pointer !== undefined) {
      throw new EngineError(error.code, error.message, { ...error.details, pointer: prefix + error.details.pointer });
    }
    if (error instanceof Failure && error.pointer !== undefined) {
      throw new Failure(error.code, error.message, prefix + error.pointer);
    }
    throw error;
  }
}
