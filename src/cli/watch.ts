import type { Merge, MergeEvent } from '../merges/merges.schema.js';
import type { ApiClient } from './api-client.js';
import { followEvents, type StreamedEvent } from './event-stream.js';
import { Interrupted } from './failure.js';
import { formatBytes, formatSeconds, printable } from './format.js';
import { openProgress, type Progress } from './progress.js';
import { cancelOnSignals } from './signals.js';

export interface WatchOptions {
  quiet?: boolean;
  json?: boolean;
}

const endStates = ['succeeded', 'failed', 'cancelled'];
/** Statuses of `watch` and `submit --wait`, by how the merge ended. */
const statuses: Readonly<Record<string, number>> = { succeeded: 0, failed: 1, cancelled: 3 };

/** Follows a merge until it has ended. @returns the status of the process */
export async function watch(client: ApiClient, id: string, options: WatchOptions): Promise<number> {
  const cancellation = cancelOnSignals();
  const progress = await openProgress({ verb: 'Merging', quiet: options.quiet === true });
  try {
    const path = `/v1/merges/${encodeURIComponent(id)}/events`;
    await followEvents(client, path, (event) => show(event, progress), isLast, cancellation.signal);
  } catch (error) {
    if (cancellation.exitCode === undefined) throw error;
    progress.stop();
    process.stderr.write(`no longer watching; the merge goes on: amalgam watch ${id}\n`);
    throw new Interrupted(cancellation.exitCode);
  } finally {
    progress.stop();
    cancellation.close();
  }
  const merge = await client.json<Merge>(`/v1/merges/${encodeURIComponent(id)}`);
  if (options.json === true) process.stdout.write(`${JSON.stringify(merge, null, 2)}\n`);
  else process.stdout.write(`${describeMerge(merge)}\n`);
  return statuses[merge.state] ?? 1;
}

function isLast({ type }: StreamedEvent): boolean {
  return endStates.includes(type);
}

function show({ type, data: event }: StreamedEvent, progress: Progress): void {
  const { data } = event as Pick<MergeEvent, 'data'>;
  const { bytesDone: bytes, bytesTotal: total, detail, seconds, waitSeconds } = data;
  if (typeof bytes === 'number' && typeof total === 'number') {
    // What is fetched first has a total of its own: a bar for it would run twice.
    if (type === 'progress') progress.update(bytes, total);
    if (type === 'fetched') progress.note(`fetched ${formatBytes(bytes)} of ${formatBytes(total)}`);
  } else if (type === 'wait' || type === 'attempt-failed') {
    progress.note(`${printable(String(detail))}; again in ${String(seconds ?? waitSeconds)} s`);
  } else if (type !== 'progress' && type !== 'shard' && !endStates.includes(type)) progress.note(noteOf(type, data));
}

function noteOf(type: string, { needs }: MergeEvent['data']): string {
  if (type !== 'fetching' || !Array.isArray(needs)) return type;
  return `${type}: ${needs.map(({ reference }: { reference: string }) => printable(reference)).join(', ')}`;
}

export function describeMerge({ id, state, version, output, failure, createdAt, finishedAt }: Merge): string {
  const seconds = finishedAt === null ? undefined : (Date.parse(finishedAt) - Date.parse(createdAt)) / 1000;
  const took = seconds === undefined ? '' : ` after ${formatSeconds(seconds)}`;
  if (state === 'succeeded') return `${version ?? output} is there${took} (merge ${id})`;
  if (state === 'failed') return `merge ${id} failed${took}: ${failure?.code ?? ''}: ${failure?.detail ?? ''}`;
  return `merge ${id} is ${state}${state === 'cancelled' ? took : ''}`;
}
