import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PlanShard } from '../plan/merge-plan.js';
import type { TensorReport } from '../report/tensor-report.js';

/** A shard under construction ends in this; the rename to its name is what makes it count. */
const PARTIAL_SUFFIX = '.partial';

export async function finishedShard(path: string, bytes: number): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() === true && found.size === bytes;
}

/** Creates the partial file with its header. What an earlier attempt left is thrown away. */
export async function prepareShard(path: string, shard: PlanShard): Promise<string> {
  const partial = path + PARTIAL_SUFFIX;
  await rm(partial, { force: true });
  const file = await open(partial, 'wx');
  try {
    await file.write(Buffer.from(shard.header, 'base64'));
    await file.truncate(shard.bytes);
  } finally {
    await file.close();
  }
  return partial;
}

export async function publishShard(partial: string, path: string): Promise<void> {
  await rename(partial, path);
}

/** Reports of a shard that is finished; none where no folder keeps them. Undefined when they are lost. */
export async function findShardReports(folder: string | undefined, file: string): Promise<TensorReport[] | undefined> {
  if (folder === undefined) return [];
  const text = await readFile(reportPath(folder, file), 'utf8').catch(() => '');
  try {
    return JSON.parse(text) as TensorReport[];
  } catch {
    // Never written, or cut off by a power failure: the shard is cheap to compute again.
    return undefined;
  }
}

/** Before the shard gets its name: a finished shard has its reports. */
export async function keepShardReports(
  folder: string | undefined,
  file: string,
  reports: readonly TensorReport[],
): Promise<void> {
  if (folder !== undefined) await writeFile(reportPath(folder, file), JSON.stringify(reports));
}

function reportPath(folder: string, file: string): string {
  return join(folder, `${file}.report.json`);
}
