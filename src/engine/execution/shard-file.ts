import { open, rename, rm, stat } from 'node:fs/promises';
import type { PlanShard } from '../plan/merge-plan.js';

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
