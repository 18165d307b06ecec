import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import {
  type CheckpointFiles,
  EngineError,
  inspectOffThread,
  localDirectory,
  type MergePlan,
  plannedFiles,
  type PlanModel,
} from '../engine/index.js';
import { modelReferences, parseModelReference, type Recipe } from '../recipe/index.js';
import { Failure } from './failure.js';

export interface LocalModel extends PlanModel {
  /** As the recipe names it, relative to the working directory: a directory, or a file of coefficients. */
  directory: string;
  /** Where a file of the model lies. */
  path(file: string): string;
}

/**
 * Opens the directories that a recipe names.
 * @param made results of earlier stages, by their names
 * @throws Failure model_not_found, EngineError
 */
export async function openLocalModels(
  recipe: Recipe,
  made: ReadonlyMap<string, LocalModel> = new Map(),
): Promise<Map<string, LocalModel>> {
  const models = new Map<string, LocalModel>();
  for (const reference of modelReferences(recipe)) {
    models.set(reference, made.get(reference) ?? (await openLocalModel(recipe, reference)));
  }
  return models;
}

/** The result of a stage that is planned and lies, when it is needed, in a directory. */
export async function plannedModel(
  plan: MergePlan,
  models: ReadonlyMap<string, LocalModel>,
  directory: string,
): Promise<LocalModel> {
  const inputs = plan.inputs.flatMap(({ reference }) => models.get(reference)?.files ?? []);
  const files = plannedFiles(plan, inputs);
  const checkpoint = await inspectOffThread(files);
  return { directory, path: (file) => join(directory, file), files, checkpoint, digest: plan.digest };
}

async function openLocalModel(recipe: Recipe, reference: string): Promise<LocalModel> {
  const found = await stat(reference).catch(() => undefined);
  const isAlone = found?.isFile() === true && reference === recipe.coefficients;
  if (found?.isDirectory() !== true && !isAlone) throw notFound(recipe, reference, found !== undefined);
  const files = isAlone ? loneFile(reference) : localDirectory(reference);
  const path = (file: string): string => (isAlone ? reference : join(reference, file));
  try {
    const checkpoint = await inspectOffThread(files);
    return { directory: reference, path, files, checkpoint, digest: await pinFiles(checkpoint.files, path) };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    const pointer = pointerTo(recipe, reference);
    throw new EngineError(error.code, `${reference}: ${error.message}`, {
      ...error.details,
      ...(pointer !== undefined && { pointer }),
    });
  }
}

/** A safetensors file as the folder that would hold nothing else. */
function loneFile(path: string): CheckpointFiles {
  const folder = localDirectory(dirname(path));
  return {
    list: async () => [{ path: 'model.safetensors', bytes: (await stat(path)).size }],
    read: (_file, offset, length) => folder.read(basename(path), offset, length),
  };
}

/** Reading all weights only to name them would double the work: names, sizes and times are what make and rsync trust too. */
async function pinFiles(
  files: Awaited<ReturnType<CheckpointFiles['list']>>,
  locate: (file: string) => string,
): Promise<string> {
  const hash = createHash('sha256');
  for (const { path } of files) {
    const { size, mtimeNs } = await stat(locate(path), { bigint: true });
    hash.update(`${path}\0${size}\0${mtimeNs}\0`);
  }
  return hash.digest('hex');
}

function notFound(recipe: Recipe, reference: string, isFile: boolean): Failure {
  const { revision } = parseModelReference(reference);
  const hint = revision === undefined ? '' : '; a directory has no revisions, so “@” is taken as part of its name';
  const what = isFile ? 'is not a directory' : 'does not exist';
  const message = `${reference} ${what} (model paths are directories, relative to ${process.cwd()}${hint})`;
  return new Failure('model_not_found', message, pointerTo(recipe, reference));
}

/** Where a value first stands in a recipe. */
export function pointerTo(value: unknown, wanted: string, pointer = ''): string | undefined {
  if (value === wanted) return pointer;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, member] of Object.entries(value)) {
    const step = key.replaceAll('~', '~0').replaceAll('/', '~1');
    const found = pointerTo(member, wanted, `${pointer}/${step}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
