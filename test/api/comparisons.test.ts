import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { fileURLToPath } from 'node:url';
import { ComparisonsService } from '../../src/merges/comparisons.service.js';
import { type Api, startApi } from '../support/api.js';
import { amalgam } from '../support/command.js';
import { pushSamples } from '../support/sample-models.js';

jest.setTimeout(60_000);

const samples = fileURLToPath(new URL('../../samples', import.meta.url));
const request = { models: ['samples/sort', 'samples/reverse'], base: 'samples/base' };

describe('POST /v1/comparisons', () => {
  let api: Api;
  beforeAll(async () => {
    api = await startApi();
    await pushSamples(api.client);
  }, 60_000);
  afterAll(() => api.close());

  const ask = (body: object): ReturnType<Api['client']['post']> => api.client.post('/v1/comparisons', body);

  test.each(['sampled', 'full'])('gives the report of amalgam compare, %s, and keeps nothing', async (report) => {
    const before = await api.storedKeys();
    const { status, body } = await ask({ ...request, report });
    expect(status).toBe(200);
    const argv = ['compare', 'sort', 'reverse', '--base', 'base', '--report', report, '--json'];
    type Numbers = Record<string, unknown>;
    const local = JSON.parse((await amalgam(argv, { cwd: samples })).stdout) as Numbers & Record<'total', Numbers> & Record<'roles' | 'groups' | 'tensors', Numbers[]>; // prettier-ignore
    const withoutResult = ({ nan: _nan, infinite: _infinite, kept: _kept, ...rest }: Numbers): Numbers => rest;
    const names = { models: ['samples/sort@1', 'samples/reverse@1'], pairs: [['samples/sort@1', 'samples/reverse@1']] };
    expect(body).toEqual({
      ...{ report, estimate: local['estimate'], reference: 'base', advice: local['advice'], ...names },
      total: withoutResult(local.total),
      roles: local.roles.map(withoutResult),
      groups: local.groups.map(withoutResult),
      tensors: local.tensors.map(withoutResult),
      inputs: [
        expect.objectContaining({ reference: 'samples/sort', role: 'model', version: 'samples/sort@1' }),
        expect.objectContaining({ reference: 'samples/reverse', role: 'model' }),
        expect.objectContaining({ reference: 'samples/base', role: 'base', version: 'samples/base@1' }),
      ].sort((a, b) => order(a) - order(b)),
    });
    expect(await api.storedKeys()).toEqual(before);
  });

  /** The base comes first, as it is the recipe's. */
  function order(input: unknown): number {
    return JSON.stringify(input).includes('samples/base') ? 0 : 1;
  }

  test('needs no base, and says what that is worth', async () => {
    const { status, body } = await ask({ models: request.models });
    expect({ status, reference: body['reference'] }).toEqual({ status: 200, reference: 'mean' });
    expect(body['advice']).toContain('name the common base');
  });

  test.each([
    ['one model without a base', { models: ['samples/sort'] }, 400, 'invalid_request', '/models'],
    ['no models', { models: [], base: 'samples/base' }, 400, 'invalid_request', '/models'],
    ['an unknown member', { ...request, output: 'team/x' }, 400, 'invalid_request', ''],
    [
      'a model that is not there',
      { ...request, models: ['samples/sort', 'samples/no'] },
      422,
      'input_not_found',
      '/models/1',
    ],
    ['a base that is not there', { ...request, base: 'samples/no' }, 422, 'input_not_found', '/base'],
    ['a path', { ...request, models: ['../sort', 'samples/reverse'] }, 422, 'reference_invalid', '/models/0'],
    ['the same model twice', { models: ['samples/sort', 'samples/sort'] }, 422, 'duplicate_model', '/models/1'],
  ])('refuses %s, with its place', async (_what, body, status, code, pointer) => {
    const answer = await ask(body);
    const { errors, pointer: own } = answer.body as { errors?: { pointer: string }[]; pointer?: string };
    const found = errors?.[0]?.pointer ?? own;
    expect({ status: answer.status, code: answer.body['code'], pointer: found }).toEqual({ status, code, pointer });
  });

  test('computes one at a time, what is asked twice once, and takes in no endless queue', async () => {
    const service = api.get(ComparisonsService);
    const models = ['base', 'sort', 'reverse', 'light'].map((name) => `samples/${name}`);
    const pairs = models.flatMap((a) => models.filter((b) => b !== a).map((b) => [a, b]));
    const all = pairs.map((pair) => ({ models: pair, report: 'full' as const }));
    const results = await Promise.allSettled([...all, ...all].map((one) => service.compare(one)));
    const refused = results.filter(({ status }) => status === 'rejected');
    expect(results.length - refused.length).toBeGreaterThanOrEqual(8);
    for (const result of refused) expect(result).toMatchObject({ reason: { code: 'deadline_exceeded' } });
    expect(await service.compare({ models: pairs[0] ?? [], report: 'full' })).toMatchObject({ reference: 'mean' });
  });
});
