import { readdir, realpath, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { EngineError } from '../errors.js';

export interface OutputPlace {
  /** Links resolved: what the model will be renamed to. */
  target: string;
  parent: string;
  /** Name of the target in its parent. */
  name: string;
}

export interface PlaceOptions {
  overwrite?: boolean;
  /** Folders of the merge's inputs. */
  inputs?: readonly string[];
}

/**
 * Makes sure, before any work, that a folder may come into being at `directory`.
 * @throws EngineError output_invalid, or output_exists when it is not empty and `overwrite` is not set
 */
export async function checkOutputPlace(directory: string, options: PlaceOptions = {}): Promise<OutputPlace> {
  const place = await findPlace(directory);
  for (const input of options.inputs ?? []) await refuseOverlap(place.target, input);
  const found = await stat(place.target).catch(() => undefined);
  if (found === undefined) return place;
  if (!found.isDirectory()) throw invalid(`${directory} is a file; name a folder`);
  if (found.dev !== (await stat(place.parent)).dev) {
    throw invalid(`${directory} is a mount point, which cannot be replaced; name a folder inside it`);
  }
  await refuseContents(directory, place.target, options.overwrite ?? false);
  return place;
}

/** @throws EngineError output_exists, or output_invalid when overwriting would delete something else than a model */
export async function refuseContents(directory: string, target: string, overwrite: boolean): Promise<void> {
  const entries = await readdir(target).catch(() => []);
  if (entries.length === 0) return;
  if (!overwrite) {
    throw new EngineError('output_exists', `${directory} is not empty; --overwrite replaces it`);
  }
  // Replacing deletes: a mistyped path must not cost somebody their home folder.
  if (!entries.some((entry) => entry === 'config.json' || entry.endsWith('.safetensors') || entry.endsWith('.bin'))) {
    throw invalid(`${directory} holds something else than a model, so it is not overwritten`);
  }
  if (isInside(await realpath(process.cwd()), target)) {
    throw invalid(`${directory} is the working directory or a parent of it, so it is not overwritten`);
  }
}

/** @throws EngineError storage_full when the file system of `parent` has not `bytes` left */
export async function refuseFullDisk(parent: string, bytes: number): Promise<void> {
  const { bavail, blocks, bsize } = await statfs(parent);
  // Some network file systems say 0 of 0.
  if (blocks === 0 || bavail * bsize >= bytes) return;
  const message = `the result needs ${bytes} bytes, ${parent} has ${bavail * bsize} left`;
  throw new EngineError('storage_full', message);
}

async function findPlace(directory: string): Promise<OutputPlace> {
  const wanted = resolve(directory);
  // Through a link the folder behind it is meant.
  const target = await realpath(wanted).catch(() => undefined);
  if (target !== undefined) return { target, parent: dirname(target), name: basename(target) };
  const parent = await realpath(dirname(wanted)).catch(() => undefined);
  if (parent === undefined) throw invalid(`there is no folder ${dirname(wanted)}; create it first`);
  if (!(await stat(parent)).isDirectory()) throw invalid(`${dirname(wanted)} is a file, not a folder`);
  return { target: join(parent, basename(wanted)), parent, name: basename(wanted) };
}

async function refuseOverlap(target: string, input: string): Promise<void> {
  const source = await realpath(input).catch(() => undefined);
  if (source === undefined) return;
  if (source === target) throw invalid(`${input} is an input of the merge and cannot be its output`);
  if (isInside(target, source)) throw invalid(`${target} lies inside ${input}, which is an input of the merge`);
  if (isInside(source, target)) throw invalid(`${input}, an input of the merge, lies inside ${target}`);
}

/** The same folder counts as inside. */
function isInside(path: string, folder: string): boolean {
  const steps = relative(folder, path);
  return steps !== '..' && !steps.startsWith(`..${sep}`);
}

function invalid(message: string): EngineError {
  return new EngineError('output_invalid', message);
}
