import type { Merge, MergeEvent } from '../merges/merges.schema.js';
import type { ApiClient } from './api-client.js';
import type { DemoMerge } from './demo-recipes.js';
import type { DemoScreen } from './demo-screen.js';
import { followEvents, type StreamedEvent } from './event-stream.js';
import { Failure } from './failure.js';
import { formatSeconds } from './format.js';

const endStates = ['succeeded', 'failed', 'cancelled'];

/** Submits a recipe and shows how it is carried out, until it is. @throws Failure when it does not succeed */
export async function showMerge(
  client: ApiClient,
  screen: DemoScreen,
  { output, title, recipe }: DemoMerge,
  signal: AbortSignal,
): Promise<Merge> {
  screen.write(`  ${title}\n`);
  const query = new URLSearchParams({ output }).toString();
  const headers = { 'content-type': 'application/yaml' };
  const submitted = await client.json<Merge>(`/v1/merges?${query}`, { method: 'POST', headers, body: recipe });
  const isKnown = submitted.deduplicated;
  const way = isKnown ? 'made before, so nothing is computed' : await follow(client, screen, submitted, signal);
  const merge = await client.json<Merge>(`/v1/merges/${submitted.id}`);
  if (merge.state !== 'succeeded') {
    throw new Failure('merge_failed', `${output}: ${merge.failure?.detail ?? `the merge is ${merge.state}`}`);
  }
  const seconds = (Date.parse(merge.finishedAt ?? '') - Date.parse(merge.createdAt)) / 1000;
  const took = isKnown ? '' : ` (${formatSeconds(seconds)})`;
  screen.write(`    ${way}: ${screen.bold(merge.version ?? output)}${took}\n`);
  return merge;
}

/** Shows the bytes that are written. @returns the states that the merge went through: `queued → running → ...` */
async function follow(
  client: ApiClient,
  screen: DemoScreen,
  { id, plan }: Merge,
  signal: AbortSignal,
): Promise<string> {
  const states: string[] = [];
  const { outputBytes } = plan ?? { outputBytes: 0 };
  const progress = await screen.openProgress();
  const onEvent = ({ type, data: event }: StreamedEvent): void => {
    const { data } = event as Pick<MergeEvent, 'data'>;
    const bytes = data['bytesDone'];
    if (type === 'progress' && typeof bytes === 'number') progress.update(bytes, outputBytes);
    if (type === 'running') progress.update(0, outputBytes);
    // A merge as small as these ends before it would report progress.
    if (type === 'finalizing') progress.update(outputBytes, outputBytes);
    if (type !== 'progress' && type !== 'shard') states.push(type);
  };
  const isLast = ({ type }: StreamedEvent): boolean => endStates.includes(type);
  try {
    await followEvents(client, `/v1/merges/${id}/events`, onEvent, isLast, signal);
  } finally {
    progress.stop();
  }
  return states.join(' → ');
}
