import { randomUUID } from 'node:crypto';
import type { Import } from '../imports/imports.schema.js';
import type { ApiClient } from './api-client.js';
import { followEvents, type StreamedEvent } from './event-stream.js';
import { Failure, Interrupted } from './failure.js';
import { formatBytes, formatSeconds, plural, printable } from './format.js';
import { openProgress, type Progress } from './progress.js';
import { hubTokenHeader } from './publish.js';
import { resuming } from './resuming.js';
import { cancelOnSignals } from './signals.js';

export interface ImportOptions {
  alias?: string;
  upload?: string;
  quiet?: boolean;
  json?: boolean;
}

const endStates = ['succeeded', 'failed', 'cancelled'];

/**
 * `amalgam push hf:org/name team/name`: has the service fetch the model, and waits.
 * @param hubToken from the environment; never an argument, which shows in process lists
 * @throws Failure what ended the import
 */
export async function importFromHub(
  client: ApiClient,
  source: string,
  model: string,
  options: ImportOptions,
  hubToken: string | undefined,
): Promise<void> {
  if (options.upload !== undefined) {
    throw new Failure('option_not_applicable', '--upload is for directories; an import goes on by itself');
  }
  const body = { source, model, ...(options.alias !== undefined && { alias: options.alias }) };
  // Under the same key a request whose answer was lost is not carried out twice.
  const headers = { 'idempotency-key': randomUUID(), ...hubTokenHeader(hubToken) };
  const send = (): Promise<Import> => client.json<Import>('/v1/imports', { method: 'POST', headers, body });
  const { id } = await resuming(send, { progress: () => 0 });
  await follow(client, id, options);
  const ended = await client.json<Import>(`/v1/imports/${id}`);
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

async function follow(client: ApiClient, id: string, options: ImportOptions): Promise<void> {
  const cancellation = cancelOnSignals();
  const progress = await openProgress({ verb: 'Importing', quiet: options.quiet === true });
  const path = `/v1/imports/${id}/events`;
  try {
    await followEvents(client, path, (event) => tell(event, progress), isLast, cancellation.signal);
  } catch (error) {
    if (cancellation.exitCode === undefined) throw error;
    progress.stop();
    process.stderr.write(`no longer watching; the import goes on: the same command watches it again\n`);
    throw new Interrupted(cancellation.exitCode);
  } finally {
    progress.stop();
    cancellation.close();
  }
}

function isLast({ type }: StreamedEvent): boolean {
  return endStates.includes(type);
}

function tell({ type, data: event }: StreamedEvent, progress: Progress): void {
  const { data } = event as { data: Record<string, unknown> };
  const { bytesDone, bytesTotal, detail, seconds, waitSeconds } = data;
  if (type === 'progress' && typeof bytesDone === 'number' && typeof bytesTotal === 'number') {
    progress.update(bytesDone, bytesTotal);
  } else if (type === 'wait' || type === 'attempt-failed') {
    progress.note(`${printable(String(detail))}; again in ${String(seconds ?? waitSeconds)} s`);
  } else if (type !== 'file' && !endStates.includes(type)) progress.note(type);
}

function describe({ version, repository, commit, files, progress, createdAt, finishedAt }: Import): string {
  const seconds = (Date.parse(finishedAt ?? createdAt) - Date.parse(createdAt)) / 1000;
  const what = `${plural(files?.length ?? 0, 'file')}, ${formatBytes(progress.bytesTotal)}`;
  const from = `${repository ?? ''}@${(commit ?? '').slice(0, 8)}`;
  return `${version ?? ''} is there after ${formatSeconds(seconds)}: ${what} of ${from}`;
}
