import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { DataSource } from 'typeorm';
import { MergeEvents } from '../../src/merges/merge-events.js';
import { failMerge } from '../../src/merges/merge-steps.js';
import { type Api, problemOf, startApi } from '../support/api.js';
import type { ServerEvent } from '../support/http-client.js';

let api: Api;
let database: DataSource;
let events: MergeEvents;
let merge: string;

beforeAll(async () => {
  api = await startApi();
  database = api.get(DataSource);
  events = api.get(MergeEvents);
}, 120_000);

afterAll(() => api.close());

/** A merge that waits for a GPU, which nobody here has: only the test makes things happen to it. */
beforeEach(async () => {
  merge = randomUUID();
  await database.query(
    `insert into merges (id, state, output_namespace, output_name, recipe, pinned_recipe, seed, shard_bytes, labels,
                         device, plan, plan_digest, summary, created_by)
     values ($1, 'queued', 'team', $2, '{}', '{}', 0, 65536, '{}', 'gpu', '{}', $3, '{}', 'test')`,
    [merge, `m-${merge}`, merge.replaceAll('-', '').repeat(2)],
  );
  await happens('queued');
});

const happens = (type: string, data: object = {}): Promise<void> =>
  events.changing(merge, (manager) => events.append(manager, merge, type, data));
const ends = (): Promise<unknown> =>
  events.changing(merge, (manager) =>
    failMerge(manager, events, merge, { code: 'internal_error', detail: 'On purpose.' }),
  );

const url = () => `${api.url}/v1/merges/${merge}/events`;
const follow = (headers: Record<string, string> = {}, query = '') =>
  fetch(url() + query, { headers: { accept: 'text/event-stream', ...headers }, signal: AbortSignal.timeout(40_000) });
const seqs = (stream: ServerEvent[]) => stream.map(({ id }) => id);

/** Reads a stream until it ends or has said something. */
async function readUntil(response: Response, word: string): Promise<string> {
  let text = '';
  for await (const chunk of (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.includes(word)) break;
  }
  return text;
}

describe('the stream of a merge', () => {
  test('tells what has happened, then what happens, and ends with the merge', async () => {
    const following = api.client.events(merge, {});
    await api.client.events(merge, { isEnough: ({ id }) => id === 1 });
    await happens('shard', { index: 0, state: 'running' });
    await happens('progress', { bytesDone: 1 });
    await ends();
    const stream = await following;
    expect(stream.map(({ id, type }) => [id, type])).toEqual([
      [1, 'queued'],
      [2, 'shard'],
      [3, 'progress'],
      [4, 'failed'],
    ]);
    expect(stream[1]?.data).toMatchObject({ seq: 2, type: 'shard', data: { index: 0, state: 'running' } });
  });

  test('is one that no cache keeps and no proxy holds back, and says when to come again', async () => {
    const response = await follow();
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('x-accel-buffering')).toBe('no');
    expect(await readUntil(response, '"seq":1')).toMatch(/^retry: 2000\n\nid: 1\nevent: queued\ndata: \{.*\}\n\n$/);
  });

  test('goes on after Last-Event-ID, with nothing lost or told twice, however often the line breaks', async () => {
    const seen: number[] = [];
    for (let n = 2; n <= 6; n += 1) {
      await happens('progress', { bytesDone: n });
      const part = await api.client.events(merge, { after: seen.at(-1) ?? 0, isEnough: ({ id }) => id === n });
      seen.push(...seqs(part));
    }
    await ends();
    seen.push(...seqs(await api.client.events(merge, { after: seen.at(-1) ?? 0 })));
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test('takes ?after= from a client that cannot send headers, and the header before it', async () => {
    await happens('progress');
    await ends();
    const idsOf = async (response: Response) =>
      [...(await response.text()).matchAll(/^id: (\d+)$/gm)].map(([, id]) => id);
    expect(await idsOf(await follow({}, '?after=1'))).toEqual(['2', '3']);
    expect(await idsOf(await follow({ 'last-event-id': '2' }, '?after=1'))).toEqual(['3']);
    expect(await idsOf(await follow({ 'last-event-id': '' }))).toEqual(['1', '2', '3']);
  });

  test('answers 204, which ends an EventSource, once all is told', async () => {
    await ends();
    expect((await follow({ 'last-event-id': '1' })).status).toBe(200);
    for (const seen of ['2', '3', '999999']) expect((await follow({ 'last-event-id': seen })).status).toBe(204);
  });

  test.each(['x', '-1', '1.5', '1'.repeat(16)])('refuses the Last-Event-ID %s', async (seen) => {
    const problem = await problemOf(await follow({ 'last-event-id': seen }));
    expect(problem).toMatchObject({
      status: 400,
      code: 'malformed_header',
      errors: [{ pointer: 'Last-Event-ID' }],
    });
  });

  test('of no merge is a 404, not an empty stream', async () => {
    const path = `${api.url}/v1/merges/${randomUUID()}/events`;
    const problem = await problemOf(await fetch(path, { headers: { accept: 'text/event-stream' } }));
    expect(problem).toMatchObject({ status: 404, code: 'merge_not_found' });
  });

  test('has a heartbeat while nothing happens', async () => {
    expect(await readUntil(await follow(), ': heartbeat\n\n')).toMatch(/\n\n: heartbeat\n\n$/);
  }, 60_000);
});

describe('the list of events', () => {
  test('is cut into pages by after and limit', async () => {
    for (let n = 2; n <= 5; n += 1) await happens('progress', { bytesDone: n });
    const page = async (query: string) =>
      ((await api.client.get(`/v1/merges/${merge}/events${query}`)).body['items'] as { seq: number }[]).map(
        ({ seq }) => seq,
      );
    expect(await page('')).toEqual([1, 2, 3, 4, 5]);
    expect(await page('?limit=2')).toEqual([1, 2]);
    expect(await page('?after=2&limit=2')).toEqual([3, 4]);
    expect(await page('?after=5')).toEqual([]);
  });

  test.each(['limit=0', 'limit=501', 'after=-1', 'after=x'])('refuses ?%s', async (query) => {
    const problem = await problemOf(await fetch(`${url()}?${query}`));
    expect(problem).toMatchObject({
      status: 400,
      code: 'invalid_request',
      errors: [{ pointer: `?${query.split('=')[0] ?? ''}` }],
    });
  });
});
