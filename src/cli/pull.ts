import { checkPath, OutputDirectory } from '../engine/index.js';
import type { Version } from '../models/models.schema.js';
import type { ApiClient } from './api-client.js';
import { Download } from './download.js';
import { Failure, Interrupted } from './failure.js';
import { formatBytes, plural } from './format.js';
import { openProgress } from './progress.js';
import { cancelOnSignals } from './signals.js';

export interface PullOptions {
  overwrite?: boolean;
  quiet?: boolean;
  json?: boolean;
}

/**
 * `amalgam pull team/name@v DIR`: the directory appears when every file of the version is there with its SHA-256.
 * @throws ApiProblem, ConnectionLost, Failure, EngineError (the directory), Interrupted
 */
export async function pull(
  client: ApiClient,
  reference: string,
  directory: string,
  options: PullOptions,
): Promise<void> {
  const [model = '', selector = 'latest'] = reference.split('@');
  const version = await client.json<Version>(`/v1/models/${model}/versions/${encodeURIComponent(selector)}`);
  // A service that cannot be trusted must not write outside the directory either.
  for (const { path } of version.files) checkPath(path);
  const output = await OutputDirectory.open({
    directory,
    digest: version.digest,
    shards: version.files.map(({ path, bytes }) => ({ file: path, bytes })),
    overwrite: options.overwrite ?? false,
  });
  try {
    await fetchFiles(client, version, output, options);
    await output.publish();
  } catch (error) {
    const isHopeless = error instanceof Failure && error.code === 'digest_mismatch';
    const kept = isHopeless ? (await output.discard(), { finished: 0, parts: 0 }) : await output.suspend();
    if (kept.finished + kept.parts > 0)
      process.stderr.write('what arrived is kept: the same command goes on from there\n');
    throw error;
  }
  if (options.json === true) process.stdout.write(`${JSON.stringify({ directory, ...version }, null, 2)}\n`);
  else if (options.quiet !== true) {
    const size = `${plural(version.files.length, 'file')}, ${formatBytes(version.bytes)}`;
    process.stdout.write(`${version.reference} is in ${directory}: ${size}, every SHA-256 verified\n`);
  }
}

async function fetchFiles(
  client: ApiClient,
  version: Version,
  output: OutputDirectory,
  options: PullOptions,
): Promise<void> {
  const cancellation = cancelOnSignals();
  const progress = await openProgress({ verb: 'Fetching', quiet: options.quiet === true });
  const prefix = `/v1/models/${version.namespace}/${version.name}/versions/${version.version}/files/`;
  let before = 0;
  try {
    for (const file of version.files) {
      const download = new Download(client, prefix, file, output, cancellation.signal, {
        onBytes: (bytes) => progress.update(before + bytes, version.bytes),
        onRetry: (error) => progress.note(`${error.message}; trying again`),
      });
      await download.run();
      before += file.bytes;
      progress.update(before, version.bytes);
    }
  } catch (error) {
    if (cancellation.exitCode === undefined) throw error;
    throw new Interrupted(cancellation.exitCode);
  } finally {
    progress.stop();
    cancellation.close();
  }
}
