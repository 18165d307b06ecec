import { basename, resolve } from 'node:path';
import { type ModelCard, renderModelCard } from '../cards/model-card.js';
import { DEFAULT_REPORT, type MergePlan, type MergeReport } from '../engine/index.js';
import { FRONT_MATTER_BYTES, readCard } from '../licences/front-matter.js';
import { methods, type Recipe } from '../recipe/index.js';
import type { LocalModel } from './local-models.js';

export interface LocalCard {
  recipe: Recipe;
  /** As it was written. */
  recipeText: string;
  models: ReadonlyMap<string, LocalModel>;
  plan: MergePlan;
  files: ModelCard['files'];
  report?: MergeReport;
}

/** README.md of a merge of directories: no clock, no absolute path of this machine but those that the recipe has. */
export async function localCard({ recipe, recipeText, models, plan, files, report }: LocalCard): Promise<string> {
  const { name, title, doc, paper } = methods[recipe.merge_method];
  const architecture = models.get(recipe.base_model ?? plan.inputs[0]?.reference ?? '')?.checkpoint.architecture;
  const inputs = plan.inputs.map(async ({ reference }): Promise<ModelCard['inputs'][number]> => {
    const licence = await readLicence(models.get(reference));
    const role = reference === recipe.base_model ? 'base' : 'model';
    return { name: nameOf(reference), role, ...(licence !== undefined && { licence }) };
  });
  return renderModelCard({
    method: { name, title, doc, ...(paper && { paper }) },
    inputs: await Promise.all(inputs),
    recipe: recipeText,
    dtype: dtypeOf(plan),
    parameterCount: plan.parameterCount,
    ...(architecture !== undefined && { architecture }),
    seed: plan.seed,
    shardBytes: plan.shardBytes,
    engineVersion: String(plan.engine),
    tensors: plan.outcome,
    files,
    warnings: plan.warnings.map(({ message }) => message),
    ...(report && { report }),
    ...(plan.report !== DEFAULT_REPORT && { reportMode: plan.report }),
    allowNan: plan.allowNan,
  });
}

/** A directory's name says what was merged, and nothing of the machine. */
export function nameOf(reference: string): string {
  return basename(resolve(reference));
}

/** `mixed` when tensors differ. */
export function dtypeOf({ shards }: MergePlan): string {
  const found = new Set(shards.flatMap(({ tensors }) => tensors.map(({ dtype }) => dtype)));
  return found.size === 1 ? ([...found][0] ?? '') : 'mixed';
}

async function readLicence(model: LocalModel | undefined): Promise<string | undefined> {
  const readme = model?.checkpoint.files.find(({ path }) => path === 'README.md');
  if (model === undefined || readme === undefined) return undefined;
  const bytes = await model.files.read(readme.path, 0, Math.min(readme.bytes, FRONT_MATTER_BYTES));
  return readCard(Buffer.from(bytes).toString('utf8')).licence;
}
