import { basename, isAbsolute, resolve } from 'node:path';
import { type ModelCard, renderModelCard, sharedFacts } from '../cards/model-card.js';
import { planFacts } from '../cards/plan-facts.js';
import type { MergePlan, MergeReport } from '../engine/index.js';
import { assess } from '../licences/assess.js';
import { Closure, type LicenceNode } from '../licences/closure.js';
import type { CardStatement } from '../licences/front-matter.js';
import {
  addClaims,
  type LicenceStatement,
  originNode,
  readModelCard,
  readStatement,
} from '../licences/licence-reading.js';
import type { Recipe } from '../recipe/index.js';
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

/** README.md of a merge of directories: no clock, and no absolute path of this machine. */
export async function localCard({ recipe, recipeText, models, plan, files, report }: LocalCard): Promise<string> {
  const architecture = models.get(recipe.base_model ?? plan.inputs[0]?.reference ?? '')?.checkpoint.architecture;
  const known = await Promise.all(plan.inputs.map(({ reference }) => readInput(models.get(reference), reference)));
  const inputs = known.map(({ name, statement }, at): ModelCard['inputs'][number] => {
    const licence = statement.licences.at(-1);
    const role = plan.inputs[at]?.reference === recipe.base_model ? 'base' : 'model';
    return { name, role, ...(licence !== undefined && { licence }) };
  });
  return renderModelCard({
    ...planFacts(recipe.merge_method, plan),
    inputs,
    recipe: withoutPaths(recipeText, [...models.keys()]),
    dtype: dtypeOf(plan),
    ...(architecture !== undefined && { architecture }),
    files,
    ...(report && { report }),
    licence: assess(closureOf(known)),
    ...sharedFacts(known.map(({ card }) => card)),
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

interface LocalInput {
  name: string;
  statement: LicenceStatement;
  card: CardStatement;
}

async function readInput(model: LocalModel | undefined, reference: string): Promise<LocalInput> {
  if (model === undefined) throw new Error(`${reference} was not opened`);
  const [statement, card] = await Promise.all([readStatement(model.files), readModelCard(model.files)]);
  return { name: nameOf(reference), statement, card };
}

/** The directories with what their cards say that they were made from: no registry knows more of them. */
function closureOf(inputs: readonly LocalInput[]): Closure {
  const nodes: LicenceNode[] = [];
  const add = (node: LicenceNode): number => nodes.push(node) - 1;
  for (const { name, statement } of inputs) {
    const parents = statement.bases.map((base) => add(originNode(base)));
    addClaims({ name, licences: statement.licences, parents }, add);
  }
  return new Closure(nodes);
}

/** Absolute directories as their last part, the longest first: one may begin another. */
function withoutPaths(text: string, references: readonly string[]): string {
  const absolute = references.filter(isAbsolute).sort((a, b) => b.length - a.length);
  return absolute.reduce((rest, reference) => rest.replaceAll(reference, nameOf(reference)), text);
}
