import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { DataSource } from 'typeorm';
import { HubTokens } from '../../src/hub/hub-tokens.service.js';
import { KeptTokens } from '../../src/hub/kept-tokens.js';
import { type Api, problemOf, startApi } from '../support/api.js';
import { pushSamples } from '../support/sample-models.js';

jest.setTimeout(60_000);

const secret = 'hf_the-secret-of-team';

let api: Api;

beforeAll(async () => {
  // Nobody listens there: nothing of this is about the Hub.
  api = await startApi({ AMALGAM_HUB_URL: 'http://127.0.0.1:9' });
  await pushSamples(api.client, ['base', 'sort']);
}, 120_000);
afterAll(() => api.close(), 60_000);
afterEach(() => api.get(DataSource).query('delete from hub_tokens'));

const call = (method: string, namespace: string, body?: string) =>
  fetch(`${api.url}/v1/hub-tokens/${namespace}`, {
    method,
    ...(body !== undefined && { body, headers: { 'content-type': 'application/json' } }),
  });
const put = (namespace: string, token: unknown) => call('PUT', namespace, JSON.stringify({ token }));
const list = async () => (await api.client.get('/v1/hub-tokens')).body['items'];

test('a token is set, replaced and deleted, and shows that it is there, never itself', async () => {
  const made = await put('team', secret);
  expect(made.status).toBe(201);
  const shown = (await made.json()) as Record<string, unknown>;
  expect(shown).toEqual({ namespace: 'team', setBy: expect.any(String), setAt: expect.any(String) });
  expect((await put('team', 'hf_another')).status).toBe(200);
  expect((await put('a.b', secret)).status).toBe(201);
  expect(await list()).toMatchObject([{ namespace: 'a.b' }, { namespace: 'team', setBy: shown['setBy'] }]);
  expect(JSON.stringify(await list())).not.toContain('hf_');
  const { items, nextCursor } = (await api.client.get('/v1/hub-tokens?limit=1')).body;
  expect(items).toMatchObject([{ namespace: 'a.b' }]);
  const next = await api.client.get(`/v1/hub-tokens?limit=1&cursor=${String(nextCursor)}`);
  expect(next.body).toMatchObject({ items: [{ namespace: 'team' }], nextCursor: null });

  expect((await call('DELETE', 'team')).status).toBe(204);
  expect(await list()).toMatchObject([{ namespace: 'a.b' }]);
  const gone = await problemOf(await call('DELETE', 'team'));
  expect(gone).toMatchObject({ status: 404, code: 'hub_token_not_found' });
});

test('the row has it encrypted, for its namespace alone', async () => {
  await put('team', secret);
  const [row] = await api.get(DataSource).query<{ sealed_token: string }[]>('select * from hub_tokens');
  expect(JSON.stringify(row)).not.toContain(secret);
  expect(Buffer.from(row!.sealed_token, 'base64').toString('latin1')).not.toContain(secret);
  expect(await api.get(HubTokens).find('team')).toBe(secret);
  await api
    .get(DataSource)
    .query(`insert into hub_tokens (namespace, sealed_token, set_by) values ('thief', $1, 'x')`, [row!.sealed_token]);
  await expect(api.get(HubTokens).find('thief')).rejects.toMatchObject({ code: 'hub_token_missing' });
});

test('what no token can be is refused, without being repeated', async () => {
  for (const token of ['', 'x', 'hf_a b', `hf_${'x'.repeat(500)}`, 'hf_ü', 7, null, undefined]) {
    const problem = await problemOf(await put('team', token));
    expect([token, problem.status, problem.code]).toEqual([token, 400, 'invalid_request']);
    if (String(token).startsWith('hf_')) expect(JSON.stringify(problem)).not.toContain(String(token));
  }
  const cut = await problemOf(await call('PUT', 'team', `{"token":"${secret}`));
  expect(cut.code).toBe('malformed_body');
  expect(JSON.stringify(cut)).not.toContain(secret);
  const more = await problemOf(await call('PUT', 'team', JSON.stringify({ token: secret, scope: secret })));
  expect(more.code).toBe('invalid_request');
  expect(JSON.stringify(more)).not.toContain(secret);
  expect((await problemOf(await put('..', secret))).status).toBeGreaterThanOrEqual(400);
  expect((await problemOf(await put('-team', secret))).code).toBe('invalid_request');
  expect(await list()).toEqual([]);
});

test('the request’s token goes before the namespace’s, which is the one of now', async () => {
  const tokens = api.get(HubTokens);
  const own = api.get(KeptTokens).seal('import 1', 'hf_own');
  const resolved = (sealedToken: string | null) =>
    tokens.resolve({ holder: 'import 1', sealedToken, namespace: 'team' });
  expect(await resolved(null)).toBeUndefined();
  await put('team', secret);
  expect(await resolved(null)).toBe(secret);
  expect(await resolved(own)).toBe('hf_own');
  await put('team', 'hf_another');
  expect(await resolved(null)).toBe('hf_another');
  await call('DELETE', 'team');
  expect(await resolved(null)).toBeUndefined();
});

test('what publishes needs a token of its own or of the namespace of its models', async () => {
  const recipe = await readFile(join(resolve(import.meta.dirname, '../..'), 'examples', 'llama-3-sec.yaml'), 'utf8');
  const publish = 'hf:acme/x';
  const requests: [string, Record<string, unknown>][] = [
    ['/v1/publications', { version: 'samples/base@1', repository: publish }],
    ['/v1/publishing-rules', { model: 'samples/base', alias: 'release', repository: publish }],
    ['/v1/triggers', { name: 'x', recipe, watch: 'other/checkpoints', output: 'samples/merged', publish }],
    [
      '/v1/merges',
      { recipe: { merge_method: 'linear', models: ['base', 'sort'].map(modelOf) }, output: 'samples/two', publish },
    ],
  ];
  await put('other', secret);
  for (const [path, request] of requests) {
    const { status, body } = await api.client.post(path, request);
    expect([path, status, body['code']]).toEqual([path, 422, 'hub_token_missing']);
  }
  await put('samples', secret);
  for (const [path, request] of requests) {
    const { status, body } = await api.client.post(path, request);
    expect([path, [201, 202].includes(status), body['code']]).toEqual([path, true, undefined]);
  }
  const rows = await api.get(DataSource).query<{ sealed_token: unknown }[]>(
    `select sealed_token from publications union all select sealed_token from publishing_rules
     union all select sealed_token from triggers`,
  );
  expect(rows).toEqual(Array(4).fill({ sealed_token: null }));
});

const modelOf = (name: string) => ({ model: `samples/${name}`, parameters: { weight: 1 } });
