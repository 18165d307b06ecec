import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Api, startApi } from '../support/api.js';
import { trainedSample } from '../support/checkpoints-in-training.js';
import { until } from '../support/child-server.js';
import type { HttpClient } from '../support/http-client.js';
import { pushSamples } from '../support/sample-models.js';

const example = join(resolve(import.meta.dirname, '../..'), 'examples', 'llama-3-sec.yaml');

let api: Api;
let client: HttpClient;
let recipe: string;

beforeAll(async () => {
  api = await startApi();
  client = api.client;
  await pushSamples(client, ['base', 'sort', 'reverse']);
  recipe = await readFile(example, 'utf8');
}, 120_000);
afterAll(() => api.close());

interface Run {
  checkpoint: string;
  checkpointDigest: string;
  state: string;
  origin: string;
  merge: string | null;
  version: string | null;
  failure: { code: string } | null;
}

async function listRuns(trigger: string): Promise<Run[]> {
  return (await client.get(`/v1/triggers/${trigger}/runs`)).body['items'] as Run[];
}

/** Waits until so many checkpoints of a trigger have come to an end, each in the state. */
async function untilRuns(trigger: string, count: number, state = 'succeeded'): Promise<Run[]> {
  let runs: Run[] = [];
  await until(
    `${count} runs of ${trigger} are ${state}`,
    async () => {
      runs = await listRuns(trigger);
      return runs.length === count && runs.every((run) => run.state === state);
    },
    90,
  );
  return runs;
}

async function versionsOf(model: string): Promise<{ reference: string; aliases: string[] }[]> {
  const { status, body } = await client.get(`/v1/models/${model}/versions`);
  return status === 404 ? [] : (body['items'] as { reference: string; aliases: string[] }[]);
}

const create = (name: string, more: object = {}) =>
  client.post('/v1/triggers', { name, recipe, watch: `${name}/checkpoints`, output: `${name}/merged`, ...more });
const step = (name: string, number: number) => client.push(`${name}/checkpoints`, trainedSample('reverse', number));

describe('the Llama-3-SEC loop', () => {
  it('makes three merges of three checkpoints, one after the other, in one lineage', async () => {
    const { status, body, headers } = await create('sec', { alias: 'best', labels: { run: 'a' } });
    expect(status).toBe(201);
    expect(body).toMatchObject({ name: 'sec', enabled: true, retention: null, runs: { waiting: 0, succeeded: 0 } });
    expect(headers.get('location')).toBe(`/v1/triggers/${String(body['id'])}`);
    for (const number of [0, 1, 2]) await step('sec', number);

    const runs = await untilRuns('sec', 3);
    expect(runs.map(({ checkpoint, version, origin }) => [checkpoint, version, origin])).toEqual([
      ['sec/checkpoints@3', 'sec/merged@3', 'arrival'],
      ['sec/checkpoints@2', 'sec/merged@2', 'arrival'],
      ['sec/checkpoints@1', 'sec/merged@1', 'arrival'],
    ]);
    expect((await client.get('/v1/triggers/sec')).body['runs']).toMatchObject({ succeeded: 3, waiting: 0 });
    const versions = await versionsOf('sec/merged');
    expect(versions.map(({ aliases }) => aliases)).toEqual([['best', 'latest'], [], []]);
    const merge = await client.get(`/v1/merges/${String(runs[0]?.merge)}`);
    expect(merge.body).toMatchObject({ labels: { trigger: 'sec', run: 'a' }, alias: 'best' });

    const parents = new Set<string>();
    for (const { reference } of versions) {
      const lineage = await client.get(`/v1/models/${reference.replace('@', '/versions/')}/lineage`);
      for (const { reference: node } of lineage.body['nodes'] as { reference: string }[]) parents.add(node);
    }
    const graph = (await client.get('/v1/models/samples/base/versions/1/lineage?direction=descendants')).body;
    const nodes = (graph['nodes'] as { reference: string }[]).map(({ reference }) => reference);
    expect(nodes).toEqual(expect.arrayContaining(['sec/merged@1', 'sec/merged@2', 'sec/merged@3']));
    expect([...parents].sort()).toEqual([
      ...['samples/base@1', 'samples/sort@1', 'sec/checkpoints@1', 'sec/checkpoints@2', 'sec/checkpoints@3'],
      ...['sec/merged@1', 'sec/merged@2', 'sec/merged@3'],
    ]);
  }, 180_000);

  it('does nothing when the same checkpoint comes again', async () => {
    expect(await step('sec', 1)).toBe('sec/checkpoints@4');
    expect(await step('sec', 3)).toBe('sec/checkpoints@5');
    const runs = await untilRuns('sec', 4);
    expect(runs.map(({ checkpoint }) => checkpoint)).toEqual(
      [5, 3, 2, 1].map((version) => `sec/checkpoints@${version}`),
    );
    expect(await versionsOf('sec/merged')).toHaveLength(4);
  }, 120_000);
});
