import { randomUUID } from 'node:crypto';
import type { Import } from '../imports/imports.schema.js';
import type { ApiClient } from './api-client.js';
import { Failure } from './failure.js';
import { followHubJob } from './follow-hub-job.js';
import { formatBytes, formatSeconds, plural, printable } from './format.js';
import { hubTokenHeader } from './publish.js';
import { resuming } from './resuming.js';

export interface ImportOptions {
  alias?: string;
  upload?: string;
  /** Leave the weights in the bucket that they are in. */
  reference?: boolean;
  quiet?: boolean;
  json?: boolean;
}

/**
 * `amalgam push hf:org/name team/name` or `amalgam push s3://bucket/prefix team/name`: has the service fetch the model, and
 * waits.
 * @param hubToken from the environment; never an argument, which shows in process lists
 * @throws Failure what ended the import
 */
export async function importModel(
  client: ApiClient,
  source: string,
  model: string,
  options: ImportOptions,
  hubToken: string | undefined,
): Promise<void> {
  if (options.upload !== undefined) {
    throw new Failure('option_not_applicable', '--upload is for directories; an import goes on by itself');
  }
  const body = {
    ...{ source, model },
    ...(options.alias !== undefined && { alias: options.alias }),
    ...(options.reference === true && { mode: 'reference' }),
  };
  // Under the same key a request whose answer was lost is not carried out twice.
  const headers = { 'idempotency-key': randomUUID(), ...(source.startsWith('hf:') && hubTokenHeader(hubToken)) };
  const send = (): Promise<Import> => client.json<Import>('/v1/imports', { method: 'POST', headers, body });
  const { id } = await resuming(send, { progress: () => 0 });
  const path = `/v1/imports/${id}`;
  const goesOn = 'the import goes on: the same command watches it again';
  await followHubJob(client, { path, verb: 'Importing', goesOn, quiet: options.quiet === true });
  const ended = await client.json<Import>(path);
  if (options.json === true) process.stdout.write(`${JSON.stringify(ended, null, 2)}\n`);
  if (ended.state !== 'succeeded') {
    const { code, detail } = ended.failure ?? {
      code: `import_${ended.state}`,
      detail: `import ${id} is ${ended.state}`,
    };
    throw new Failure(code, printable(detail));
  }
  if (options.json !== true && options.quiet !== true) process.stdout.write(`${describe(ended)}\n`);
}

function describe({ version, repository, commit, files, progress, createdAt, finishedAt }: Import): string {
  const seconds = (Date.parse(finishedAt ?? createdAt) - Date.parse(createdAt)) / 1000;
  const what = `${plural(files?.length ?? 0, 'file')}, ${formatBytes(progress.bytesTotal)}`;
  const from = `${repository ?? ''}@${(commit ?? '').slice(0, 8)}`;
  return `${version ?? ''} is there after ${formatSeconds(seconds)}: ${what} of ${from}`;
}
