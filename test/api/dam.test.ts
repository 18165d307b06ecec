import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { fileURLToPath } from 'node:url';
import { type Api, startApi } from '../support/api.js';
import { until } from '../support/child-server.js';
import { damCoefficients, coefficientsFile } from '../support/coefficients.js';
import { pushSamples } from '../support/sample-models.js';
import { readModel } from '../support/safetensors.js';

jest.setTimeout(60_000);

const samples = fileURLToPath(new URL('../../samples', import.meta.url));
const labels = ['sort', 'reverse'];
const recipe = {
  merge_method: 'dam',
  models: [{ model: 'samples/sort' }, { model: 'samples/reverse' }],
  coefficients: 'team/trained',
};

describe('a merge by coefficients', () => {
  let api: Api;
  beforeAll(async () => {
    api = await startApi();
    await pushSamples(api.client);
    const tensors = damCoefficients({ tensors: readModel(`${samples}/base`) }, labels);
    await api.client.push('team/trained', { 'model.safetensors': coefficientsFile(tensors, { models: labels }) });
  }, 60_000);
  afterAll(() => api.close());

  test('pins them as it pins models, names them in the lineage, and shows the method on the card', async () => {
    const submitted = await api.client.post('/v1/merges', { recipe, output: 'team/merged' });
    expect(submitted.status).toBe(202);
    const inputs = [{ version: 'samples/sort@1' }, { version: 'samples/reverse@1' }, { version: 'team/trained@1' }];
    expect(submitted.body).toMatchObject({ plan: { method: 'dam', inputs } });
    const state = async (): Promise<unknown> =>
      (await api.client.get(`/v1/merges/${String(submitted.body['id'])}`)).body['state'];
    await until('the merge has ended', async () => ['succeeded', 'failed'].includes(String(await state())));
    expect(await state()).toBe('succeeded');
    const card = await api.client.get('/v1/models/team/merged/versions/1/card');
    expect(JSON.stringify(card)).toContain('DAM');
    expect(JSON.stringify(card)).toContain('team/trained@1');
  });

  test('is refused before anything is stored when they do not fit', async () => {
    const wrong = { ...recipe, coefficients: 'samples/light' };
    const { status, body } = await api.client.post('/v1/merges', { recipe: wrong, output: 'team/never' });
    expect({ status, code: body['code'] }).toEqual({ status: 422, code: 'coefficients_invalid' });
    expect(JSON.stringify(body)).toContain('/recipe/coefficients');
    const missing = await api.client.post('/v1/plans', { recipe: { ...recipe, coefficients: 'team/nothing' } });
    expect(missing.body['code']).toBe('input_not_found');
    expect(JSON.stringify(missing.body)).toContain('/recipe/coefficients');
    expect((await api.client.get('/v1/models/team/never')).status).toBe(404);
  });
});
