import { stat } from 'node:fs/promises';
import { inspectOffThread, localDirectory } from '../engine/index.js';
import type { Version } from '../models/models.schema.js';
import { type ApiClient, ApiProblem } from './api-client.js';
import { Failure, Interrupted } from './failure.js';
import { formatBytes, plural, printable } from './format.js';
import { hashFile, type HashedFile, listModelFiles, type ModelFile } from './model-files.js';
import { openProgress } from './progress.js';
import { cancelOnSignals } from './signals.js';
import { UploadSession } from './upload-session.js';

export interface PushOptions {
  alias?: string;
  /** Where the files do not say. */
  licence?: string;
  /** Upload that an earlier attempt left open. */
  upload?: string;
  /** Not for directories. */
  reference?: boolean;
  quiet?: boolean;
  json?: boolean;
}

/**
 * `amalgam push DIR team/name`: makes the directory the model's next version.
 * @throws Failure, EngineError (no model in the directory), ApiProblem
 */
export async function push(client: ApiClient, directory: string, name: string, options: PushOptions): Promise<void> {
  if (options.reference === true) {
    throw new Failure('option_not_applicable', '--reference is for s3://bucket/prefix; a directory is sent');
  }
  const found = await stat(directory).catch(() => undefined);
  if (found?.isDirectory() !== true) throw new Failure('model_not_found', `${directory} is not a directory`);
  const { files, skipped } = await listModelFiles(directory);
  for (const { reason } of skipped) process.stderr.write(`not sent: ${printable(reason)}\n`);
  // What the service would refuse after hours of sending is refused now.
  await inspectOffThread(localDirectory(directory));
  const hashed = await hashAll(directory, files, options);
  const present = await findPresent(client, name, hashed);
  if (present !== undefined && options.upload === undefined) {
    const version = await withAlias(client, present, options.alias);
    answer(version, options, `${version.reference} has exactly these files already`);
    return;
  }
  const version = await send(client, directory, name, hashed, options);
  const bytes = hashed.reduce((sum, file) => sum + file.bytes, 0);
  answer(version, options, `${version.reference} is there: ${plural(hashed.length, 'file')}, ${formatBytes(bytes)}`);
}

async function hashAll(directory: string, files: readonly ModelFile[], options: PushOptions): Promise<HashedFile[]> {
  const progress = await openProgress({ verb: 'Hashing', quiet: options.quiet === true });
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  const hashed: HashedFile[] = [];
  try {
    for (const file of files) {
      hashed.push(await hashFile(directory, file, (bytes) => progress.update((done += bytes), total)));
    }
  } finally {
    progress.stop();
  }
  return hashed;
}

/** The newest version, when it consists of the same files. */
async function findPresent(
  client: ApiClient,
  name: string,
  files: readonly HashedFile[],
): Promise<Version | undefined> {
  const latest = await client.json<Version>(`/v1/models/${name}/versions/latest`).catch((error: unknown) => {
    if (error instanceof ApiProblem && error.status === 404) return undefined;
    throw error;
  });
  const manifest = (list: readonly { path: string; sha256: string }[]): string =>
    list
      .map(({ path, sha256 }) => `${sha256} ${path}`)
      .sort()
      .join('\n');
  return latest !== undefined && manifest(latest.files) === manifest(files) ? latest : undefined;
}

async function withAlias(client: ApiClient, version: Version, alias: string | undefined): Promise<Version> {
  if (alias === undefined || version.aliases.includes(alias)) return version;
  const path = `/v1/models/${version.namespace}/${version.name}/aliases/${encodeURIComponent(alias)}`;
  const move = (headers: Record<string, string>): Promise<unknown> =>
    client.json(path, { method: 'PUT', headers, body: { version: version.version } });
  await move({}).catch((error: unknown) => {
    // It names another version: pushing with an alias moves it, as completing an upload does.
    if (error instanceof ApiProblem && error.code === 'precondition_required') return move({ 'if-match': '*' });
    throw error;
  });
  return { ...version, aliases: [...version.aliases, alias] };
}

async function send(
  client: ApiClient,
  directory: string,
  name: string,
  files: readonly HashedFile[],
  options: PushOptions,
): Promise<Version> {
  const progress = await openProgress({ verb: 'Sending', quiet: options.quiet === true });
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let before = 0;
  const cancellation = cancelOnSignals();
  const session = await UploadSession.open(client, name, {
    known: options.upload,
    signal: cancellation.signal,
    onBytes: (_file, bytes) => progress.update(before + bytes, total),
    onRetry: (error) => progress.note(`${error.message}; trying again`),
  });
  try {
    for (const file of files) {
      await session.send(directory, file);
      before += file.bytes;
    }
    return await session.complete(options);
  } catch (error) {
    progress.stop();
    const isOver = error instanceof ApiProblem && !['digest_mismatch', 'upload_incomplete'].includes(error.code);
    if (!isOver) process.stderr.write(`to go on from here, repeat the command with --upload ${session.id}\n`);
    throw cancellation.exitCode === undefined ? error : new Interrupted(cancellation.exitCode);
  } finally {
    progress.stop();
    cancellation.close();
  }
}

function answer(version: Version, options: PushOptions, line: string): void {
  if (options.json === true) process.stdout.write(`${JSON.stringify(version, null, 2)}\n`);
  else if (options.quiet !== true) process.stdout.write(`${line}\n`);
}
