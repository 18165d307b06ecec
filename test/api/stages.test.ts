import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type Api, startApi } from '../support/api.js';
import { until } from '../support/child-server.js';
import { pushSamples } from '../support/sample-models.js';

jest.setTimeout(120_000);

const stages = (t: number): string => `
name: average
merge_method: linear
models:
  - model: samples/sort
  - model: samples/reverse
parameters: { weight: 0.5 }
---
name: again
merge_method: task_arithmetic
base_model: samples/base
models:
  - model: average
  - model: samples/sort
parameters: { weight: 0.5 }
---
merge_method: slerp
base_model: average
models:
  - model: again
parameters: { t: ${String(t)} }
`;

let api: Api;

beforeAll(async () => {
  api = await startApi({ AMALGAM_HUB_URL: 'http://127.0.0.1:9' });
  await pushSamples(api.client, ['base', 'sort', 'reverse']);
}, 60_000);
afterAll(() => api.close());

const get = async (path: string): Promise<Record<string, unknown>> => (await api.client.get(path)).body;
async function endOf(id: string): Promise<Record<string, unknown>> {
  const isOver = async (): Promise<boolean> =>
    ['succeeded', 'failed', 'cancelled'].includes(String((await get(`/v1/merges/${id}`))['state']));
  await until(`merge ${id} has ended`, isOver, 90);
  return get(`/v1/merges/${id}`);
}
async function run(recipe: string, output: string, more: object = {}): Promise<Record<string, unknown>> {
  const answer = await api.client.post('/v1/merges', { recipe, output, ...more });
  expect([200, 202]).toContain(answer.status);
  return endOf(String(answer.body['id']));
}
const weightsOf = async (model: string, version = 'latest'): Promise<string | undefined> => {
  const { files } = (await get(`/v1/models/${model}/versions/${version}`)) as {
    files: { path: string; sha256: string }[];
  };
  return files.find(({ path }) => path === 'model.safetensors')?.sha256;
};

describe('several recipes in one text', () => {
  test('are planned from headers, each stage with what it reads and writes', async () => {
    const { status, body } = await api.client.post('/v1/plans', { recipe: stages(0.3) });
    expect(status).toBe(200);
    expect(body['stages']).toMatchObject([
      { name: 'average', method: 'linear', models: ['samples/sort@1', 'samples/reverse@1'] },
      { name: 'again', method: 'task_arithmetic', models: ['samples/base@1', 'average', 'samples/sort@1'] },
    ]);
    expect(body).toMatchObject({ method: 'slerp', inputs: [{ version: 'average', versionId: null }, {}] });
  });

  test('a fault of the last one is found before the first is merged', async () => {
    const faulty = stages(0.3).replace('base_model: average', 'base_model: samples/nowhere');
    const answer = await api.client.post('/v1/merges', { recipe: faulty, output: 'team/faulty' });
    expect([answer.status, answer.body['code']]).toEqual([422, 'input_not_found']);
    expect(answer.body['errors']).toMatchObject([{ pointer: '/recipe/2/base_model' }]);
  });

  test('give what one after the other gives; what is between goes, its card and lineage stay', async () => {
    const merged = await run(stages(0.3), 'team/staged');
    expect(merged).toMatchObject({ state: 'succeeded', version: 'team/staged@1' });
    expect(merged['needs']).toMatchObject([
      { reference: 'again', version: 'team/staged.again@1', import: null },
      { reference: 'average', version: 'team/staged.average@1', import: null },
    ]);
    const [average = '', again = '', result = ''] = stages(0.3).split('---\n');
    const nameless = (text: string): string => text.replace(/^name.*\n/m, '');
    // Without a report they are other merges, which are computed and not found.
    const alone = { report: 'none' };
    await run(nameless(average), 'one/average', alone);
    await run(nameless(again).replace('model: average', 'model: one/average'), 'one/again', alone);
    const last = result.replace('base_model: average', 'base_model: one/average');
    await run(last.replace('model: again', 'model: one/again'), 'one/result', alone);
    expect(await weightsOf('team/staged')).toBe(await weightsOf('one/result'));
    const { nodes } = (await get('/v1/models/team/staged/versions/1/lineage')) as { nodes: { model: string }[] };
    expect(JSON.stringify(nodes)).toContain('staged.average');
    await until(
      'the weights of a stage are given up',
      async () =>
        (await api.client.get('/v1/models/team/staged.average/versions/1/files/model.safetensors')).status === 410,
      90,
    );
    expect((await api.client.get('/v1/models/team/staged.average/versions/1/files/README.md')).status).toBe(200);
    // The same again is found, although its stages are gone; another name gets the same bytes.
    expect(await run(stages(0.3), 'team/staged')).toMatchObject({ deduplicated: true, version: 'team/staged@1' });
    const elsewhere = await run(stages(0.3), 'team/elsewhere');
    expect(elsewhere).toMatchObject({ deduplicated: true, version: 'team/elsewhere@1' });
    expect(await weightsOf('team/elsewhere')).toBe(await weightsOf('team/staged'));
  });

  test('another last recipe uses the stages that are kept', async () => {
    const first = await run(stages(0.6), 'team/kept', { keepStages: true });
    const second = await run(stages(0.9), 'team/kept', { keepStages: true });
    const stageVersions = (merge: Record<string, unknown>) =>
      (merge['needs'] as { version: string }[]).map((need) => need.version);
    expect([first['version'], second['version']]).toEqual(['team/kept@1', 'team/kept@2']);
    expect(stageVersions(second)).toEqual(stageVersions(first));
    expect((await api.client.get('/v1/models/team/kept.again/versions/1/files/model.safetensors')).status).toBe(200);
  });

  test('a stage that fails fails the merge, with its name and its reason', async () => {
    const recipe = stages(0.3).replace(
      'parameters: { weight: 0.5 }',
      'parameters: { normalize: false, weight: [{ filter: "*", value: 1.0e+60 }] }',
    );
    const merge = await run(recipe.replace('samples/reverse', 'samples/base'), 'team/nan');
    expect(merge).toMatchObject({
      state: 'failed',
      failure: { code: 'nan_in_result', pointer: '/recipe/1/models/0/model' },
    });
  });
});
