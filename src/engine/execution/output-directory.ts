import { appendFile, copyFile, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { type OutputPlace, checkOutputPlace, refuseContents, refuseFullDisk } from './output-place.js';
import { StagingLock } from './staging-lock.js';

export interface OutputRequest {
  /** Where the model will lie when it is complete. */
  directory: string;
  /** Digest of the plan: names the staging folder, so that only the same merge is taken up again. */
  digest: string;
  /** The large files of the model: what `execute` writes, or what is fetched. One that is finished is not made again. */
  shards: readonly { file: string; bytes: number }[];
  /** Replace a model that is there already, once the new one is complete. Default false. */
  overwrite?: boolean;
  /** Folders of the merge's inputs: the output may be neither in them nor around them. */
  inputs?: readonly string[];
  /** Wait until the disk has everything before the folder appears. Default true. */
  durable?: boolean;
}

/** Inside the staging folder; the model has a folder of its own so that it can be renamed alone. */
const MODEL = 'model';
const LOCK = 'lock';
/** Names of the shard files that the disk has, one a line. */
const SYNCED = 'synced';
/** Files of which only the beginning is there. */
const PARTS = 'parts';
/** What `execute` notes of finished shards. */
const REPORTS = 'reports';
/** The model that is being replaced. */
const REPLACED = 'replaced';
const SUFFIX = '.amalgam';

/**
 * A model folder that appears under its name complete or not at all. It grows in a hidden folder beside that name; when
 * the process is killed, the next merge by the same plan goes on with the shards that are finished there.
 */
export class OutputDirectory {
  private readonly syncs: Promise<void>[] = [];

  private constructor(
    private readonly request: OutputRequest,
    private readonly place: OutputPlace,
    /** The hidden folder. */
    readonly staging: string,
    private readonly lock: StagingLock,
  ) {}

  /** Where `execute` writes its shard files. */
  get directory(): string {
    return join(this.staging, MODEL);
  }

  /** Folder for what is to be known of finished files: it outlives a suspension, and is no part of the model. */
  get reports(): string {
    return join(this.staging, REPORTS);
  }

  /** Path for a file that arrives piece by piece: it outlives a suspension, and is moved into `directory` when it is complete. */
  part(name: string): string {
    return join(this.staging, PARTS, name);
  }

  /** @throws EngineError output_invalid, output_exists, output_busy, storage_full */
  static async open(request: OutputRequest): Promise<OutputDirectory> {
    const place = await checkOutputPlace(request.directory, request);
    const staging = join(place.parent, `${stagingPrefix(place.name)}${request.digest.slice(0, 16)}${SUFFIX}`);
    await mkdir(join(staging, MODEL), { recursive: true });
    await mkdir(join(staging, PARTS), { recursive: true });
    await mkdir(join(staging, REPORTS), { recursive: true });
    const lock = await StagingLock.take(join(staging, LOCK));
    const output = new OutputDirectory(request, place, staging, lock);
    try {
      await output.recoverReplaced();
      const finished = await output.sweep();
      const missing = request.shards.filter(({ file }) => !finished.has(file));
      const bytes = missing.reduce((sum, shard) => sum + shard.bytes, 0);
      await refuseFullDisk(place.parent, bytes);
    } catch (error) {
      await output.suspend();
      throw error;
    }
    return output;
  }

  /** Notes that `execute` has finished a shard: its bytes go to the disk while the next one is computed. */
  finished(file: string): void {
    if (this.request.durable === false) return;
    const sync = async (): Promise<void> => {
      await syncPath(join(this.directory, file));
      await appendFile(join(this.staging, SYNCED), `${file}\n`, { flush: true });
    };
    const running = sync();
    // Awaited by publish and suspend; without a handler now, a failure before that would end the process.
    running.catch(() => undefined);
    this.syncs.push(running);
  }

  /** @returns bytes and SHA-256 (hex) of what was written */
  async write(path: string, content: string | Uint8Array): Promise<{ bytes: number; sha256: string }> {
    const target = join(this.directory, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content, { flush: this.request.durable !== false });
    const bytes = Buffer.from(content);
    return { bytes: bytes.byteLength, sha256: createHash('sha256').update(bytes).digest('hex') };
  }

  /** Takes a file over unchanged. @returns bytes and SHA-256 (hex) of the copy */
  async copy(source: string, path: string): Promise<{ bytes: number; sha256: string }> {
    const target = join(this.directory, path);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(source, target);
    if (this.request.durable !== false) await syncPath(target);
    const hash = createHash('sha256');
    const file = await open(target);
    for await (const chunk of file.createReadStream()) hash.update(chunk as Buffer);
    return { bytes: (await stat(target)).size, sha256: hash.digest('hex') };
  }

  /** Gives the complete model its name. @throws EngineError output_exists when something came there meanwhile */
  async publish(): Promise<void> {
    const { target, parent, name } = this.place;
    await Promise.all(this.syncs);
    if (this.request.durable !== false) await syncPath(this.directory);
    await refuseContents(this.request.directory, target, this.request.overwrite ?? false);
    const replaced = join(this.staging, REPLACED);
    const isReplacing = await rename(target, replaced).then(
      () => true,
      () => false,
    );
    try {
      await rename(this.directory, target);
    } catch (error) {
      if (isReplacing) await rename(replaced, target);
      throw error;
    }
    if (this.request.durable !== false) await syncPath(parent);
    await this.discard();
    await removeAbandoned(parent, stagingPrefix(name));
  }

  /** Ends without a model; finished files and parts stay for the next attempt. @returns how many of them there are */
  async suspend(): Promise<{ finished: number; parts: number }> {
    await Promise.allSettled(this.syncs);
    const finished = (await this.presentFiles()).size;
    const parts = (await readdir(join(this.staging, PARTS))).length;
    if (finished + parts === 0) await this.discard();
    else await this.lock.release();
    return { finished, parts };
  }

  async discard(): Promise<void> {
    await rm(this.staging, { recursive: true, force: true });
    await this.lock.release();
  }

  /** A process that died between the two renames of `publish` left the old model here. */
  private async recoverReplaced(): Promise<void> {
    const replaced = join(this.staging, REPLACED);
    if ((await stat(replaced).catch(() => undefined)) === undefined) return;
    const isBack = (await stat(this.place.target).catch(() => undefined)) !== undefined;
    if (isBack) return rm(replaced, { recursive: true });
    await rename(replaced, this.place.target);
    await refuseContents(this.request.directory, this.place.target, this.request.overwrite ?? false);
  }

  /** Removes whatever an earlier attempt left that cannot be relied on. @returns the shards that remain */
  private async sweep(): Promise<Set<string>> {
    const synced = new Set((await readFile(join(this.staging, SYNCED), 'utf8').catch(() => '')).split('\n'));
    const kept = await this.presentFiles();
    for (const file of kept) {
      // After a power cut a file can have its full size and none of its bytes.
      if (!synced.has(file) && !this.lock.isAfterKill) kept.delete(file);
    }
    for (const entry of await readdir(this.directory)) {
      const isKept = [...kept].some((file) => file === entry || file.startsWith(`${entry}/`));
      if (!isKept) await rm(join(this.directory, entry), { recursive: true, force: true });
    }
    return kept;
  }

  private async presentFiles(): Promise<Set<string>> {
    const present = new Set<string>();
    for (const { file, bytes } of this.request.shards) {
      const found = await stat(join(this.directory, file)).catch(() => undefined);
      if (found?.isFile() === true && found.size === bytes) present.add(file);
    }
    return present;
  }
}

function stagingPrefix(name: string): string {
  // File names have 255 bytes at most.
  const short = Buffer.byteLength(name) <= 200 ? name : createHash('sha256').update(name).digest('hex');
  return `.${short}.`;
}

/** With the model in place, what other plans left behind for this name will hardly be wanted again. */
async function removeAbandoned(parent: string, prefix: string): Promise<void> {
  const list = (path: string): Promise<string[]> => readdir(path).catch(() => []);
  for (const entry of await readdir(parent)) {
    if (!entry.startsWith(prefix) || !/^[0-9a-f]{16}\.amalgam$/.test(entry.slice(prefix.length))) continue;
    const path = join(parent, entry);
    // Without a lock and without a shard it is one that another process is opening just now.
    const contents = [...(await readdir(path)), ...(await list(join(path, MODEL))), ...(await list(join(path, PARTS)))];
    const isOpening = contents.every((name) => name === MODEL || name === PARTS || name === REPORTS);
    if (isOpening || (await StagingLock.isHeld(join(path, LOCK)))) continue;
    await rm(path, { recursive: true, force: true });
  }
}

async function syncPath(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
