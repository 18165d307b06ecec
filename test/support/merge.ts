import { afterAll } from '@jest/globals';
import { copyFileSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  type ExecuteOptions,
  type MergePlan,
  type MergeResult,
  execute,
  inspect,
  localDirectory,
  MergeThreads,
  plan,
  type PlanModel,
  type PlanOptions,
} from '../../src/engine/index.js';
import { modelReferences, parseRecipe } from '../../src/recipe/index.js';

export interface MergeRequest {
  /** YAML. */
  recipe: string;
  /** The model, weights and config.json, is written here. */
  directory: string;
  /** Where the recipe's relative paths start. Default: the working directory. */
  cwd?: string;
  plan?: Omit<PlanOptions, 'models'>;
  execute?: Omit<ExecuteOptions, 'locate' | 'directory'>;
}

const kept = new Map<number, MergeThreads>();
afterAll(async () => {
  for (const threads of kept.values()) await threads.end();
});

/** The same for all merges of a test file, which are many and small. */
export function keptThreads(count: number): MergeThreads {
  const threads = kept.get(count) ?? new MergeThreads(count);
  kept.set(count, threads);
  return threads;
}

/** A whole merge through the engine's face, as a program without the service would do it. @throws RecipeError, EngineError */
export async function merge(request: MergeRequest): Promise<{ plan: MergePlan; result: MergeResult }> {
  const { recipe } = parseRecipe(request.recipe, { executable: true });
  const folder = (reference: string): string => resolve(request.cwd ?? '.', reference);
  const models = new Map<string, PlanModel>();
  for (const reference of modelReferences(recipe)) {
    const files = localDirectory(folder(reference));
    models.set(reference, { files, checkpoint: await inspect(files), digest: pin(folder(reference)) });
  }
  const merged = await plan(recipe, { models, ...request.plan });
  const locate = (input: number, file: string): string => join(folder(merged.inputs[input]?.reference ?? ''), file);
  mkdirSync(request.directory, { recursive: true });
  const result = await execute(merged, {
    threads: keptThreads(1),
    ...request.execute,
    locate,
    directory: request.directory,
  });
  if (merged.configText !== undefined) writeFileSync(join(request.directory, 'config.json'), merged.configText);
  if (merged.index !== undefined) writeFileSync(join(request.directory, 'model.safetensors.index.json'), merged.index);
  for (const { input, path } of merged.copies) copyFileSync(locate(input, path), join(request.directory, path));
  return { plan: merged, result };
}

function pin(directory: string): string {
  return `${directory}:${String(statSync(directory).mtimeMs)}`;
}
