import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Api, problemOf, sha256, startApi } from '../support/api.js';
import { readSample } from '../support/sample-models.js';

let api: Api;
const base = readSample('base');
const weights = base['model.safetensors'] ?? new Uint8Array();

beforeAll(async () => {
  api = await startApi();
  await api.client.push('team/first', base);
}, 120_000);

afterAll(() => api.close());

const file = (path: string, headers: Record<string, string> = {}, init: RequestInit = {}) =>
  fetch(`${api.url}/v1/models/team/first/versions/${path}`, { headers, ...init });

describe('models', () => {
  test('are created once, with a Location', async () => {
    const created = await api.client.post('/v1/models', { namespace: 'team', name: 'second', description: 'Sorts.' });
    expect(created.status).toBe(201);
    expect(created.headers.get('location')).toBe('/v1/models/team/second');
    expect(created.body).toMatchObject({ namespace: 'team', name: 'second', latestVersion: null, aliases: {} });
    expect((await api.client.get('/v1/models/team/second')).body).toEqual(created.body);
    const again = await api.client.post('/v1/models', { namespace: 'team', name: 'second' });
    expect(again).toMatchObject({ status: 409, body: { code: 'model_exists', errors: [{ pointer: '/name' }] } });
  });

  test.each(['', '.', '..', 'a/b', 'a..b', '-a', 'a b', 'é', 'a\u0000', 'x'.repeat(97)])(
    'refuse the name %j',
    async (name) => {
      const { status, body } = await api.client.post('/v1/models', { namespace: 'team', name });
      expect({ status, code: body['code'] }).toEqual({ status: 400, code: 'invalid_request' });
    },
  );

  test('are found by any part of name and description, whatever the letter case, and nothing is a pattern', async () => {
    const names = async (query: string) =>
      ((await api.client.get(`/v1/models?${query}`)).body['items'] as { name: string }[]).map(({ name }) => name);
    await api.client.post('/v1/models', { namespace: 'other', name: 'third', description: '100% REVERSE_D' });
    expect(await names('search=SECON')).toEqual(['second']);
    expect(await names('search=reverse_')).toEqual(['third']);
    expect(await names('search=%25')).toEqual(['third']);
    expect(await names('namespace=other')).toEqual(['third']);
    expect(await names('search=nothing')).toEqual([]);
  });

  test('are paged in the order of their names, each once', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) await api.client.post('/v1/models', { namespace: 'paged', name });
    const seen: string[] = [];
    let cursor = '';
    do {
      const { status, body } = await api.client.get(`/v1/models?namespace=paged&limit=2${cursor}`);
      expect(status).toBe(200);
      seen.push(...(body['items'] as { name: string }[]).map(({ name }) => name));
      const next = body['nextCursor'] as string | null;
      cursor = next === null ? '' : `&cursor=${next}`;
    } while (cursor !== '');
    expect(seen).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  test.each(['x', 'bnVsbA', Buffer.from('["a"]').toString('base64url'), Buffer.from('[1,2]').toString('base64url')])(
    'refuse the cursor %j',
    async (cursor) => {
      const problem = await problemOf(await fetch(`${api.url}/v1/models?cursor=${cursor}`));
      expect(problem).toMatchObject({ status: 400, code: 'invalid_request', errors: [{ pointer: '?cursor' }] });
    },
  );

  test.each(['0', '201', '-1', '1.5', 'x'])('refuse the limit %s', async (limit) => {
    const problem = await problemOf(await fetch(`${api.url}/v1/models?limit=${limit}`));
    expect(problem).toMatchObject({ status: 400, errors: [{ pointer: '?limit' }] });
  });
});

describe('versions', () => {
  test('say what their headers say', async () => {
    const { status, body } = await api.client.get('/v1/models/team/first/versions/1');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      reference: 'team/first@1',
      version: 1,
      origin: 'upload',
      aliases: ['latest'],
      architecture: 'LlamaForCausalLM',
      modelType: 'llama',
      parameterCount: 449_376,
      dtypes: { BF16: 39 },
      licence: 'apache-2.0',
      createdBy: 'local',
    });
    const files = body['files'] as { path: string; sha256: string; bytes: number }[];
    expect(files.map(({ path }) => path)).toEqual(Object.keys(base).sort());
    for (const { path, ...is } of files) {
      const bytes = base[path] ?? new Uint8Array();
      expect(is).toMatchObject({ sha256: sha256(bytes), bytes: bytes.length });
    }
  });

  test('equal files give the next number, the same digest, and no second copy in the store', async () => {
    const before = await api.storedKeys();
    expect(await api.client.push('team/first', base)).toBe('team/first@2');
    expect(await api.storedKeys()).toEqual(before);
    const { items } = (await api.client.get('/v1/models/team/first/versions')).body as { items: { digest: string }[] };
    expect(items.map((version) => (version as unknown as { version: number }).version)).toEqual([2, 1]);
    expect(items[0]?.digest).toBe(items[1]?.digest);
    expect((await api.client.get('/v1/models/team/first')).body).toMatchObject({
      latestVersion: 2,
      aliases: { latest: 2 },
    });
  });

  test.each(['3', 'nobody', '0', '007', '999999999999'])('have no number or alias %s', async (version) => {
    const { status } = await api.client.get(`/v1/models/team/first/versions/${version}`);
    expect([400, 404]).toContain(status);
  });

  test('of a model that does not exist are not an empty list', async () => {
    const { status, body } = await api.client.get('/v1/models/team/nothing/versions');
    expect({ status, code: body['code'] }).toEqual({ status: 404, code: 'model_not_found' });
  });
});

describe('downloads', () => {
  test('give the bytes, their digest as tag, and nothing that a browser would run', async () => {
    const response = await file('1/files/model.safetensors');
    expect(response.status).toBe(200);
    expect(Buffer.from(await response.arrayBuffer()).equals(weights)).toBe(true);
    expect(response.headers.get('etag')).toBe(`"${sha256(weights)}"`);
    expect(response.headers.get('content-length')).toBe(String(weights.length));
    expect(response.headers.get('content-disposition')).toBe('attachment; filename="model.safetensors"');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('cache-control')).toContain('immutable');
    expect((await file('latest/files/model.safetensors')).headers.get('cache-control')).not.toContain('immutable');
  });

  test('HEAD says the same without the bytes', async () => {
    const response = await file('1/files/model.safetensors', {}, { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBe(String(weights.length));
    expect(response.headers.get('etag')).toBe(`"${sha256(weights)}"`);
    expect((await response.arrayBuffer()).byteLength).toBe(0);
  });

  test.each([
    ['bytes=0-0', 0, 0],
    ['bytes=10-19', 10, 19],
    ['bytes=902780-', 902_780, 902_783],
    ['bytes=-5', 902_779, 902_783],
    ['bytes=0-99999999', 0, 902_783],
  ])('%s', async (range, first, last) => {
    const response = await file('1/files/model.safetensors', { range });
    expect(response.status).toBe(206);
    expect(response.headers.get('content-range')).toBe(`bytes ${first}-${last}/${weights.length}`);
    expect(response.headers.get('content-length')).toBe(String(last - first + 1));
    expect(Buffer.from(await response.arrayBuffer()).equals(weights.subarray(first, last + 1))).toBe(true);
  });

  test.each(['bytes=902784-', 'bytes=-0', 'bytes=999999999-'])('%s lies outside', async (range) => {
    const response = await file('1/files/model.safetensors', { range });
    expect(response.headers.get('content-range')).toBe(`bytes */${weights.length}`);
    expect(await problemOf(response)).toMatchObject({ status: 416, code: 'range_not_satisfiable' });
  });

  test.each(['bytes=5-1', 'lines=1-2', 'bytes=0-1,3-4', 'bytes=x'])('%s means the whole', async (range) => {
    expect((await file('1/files/config.json', { range })).status).toBe(200);
  });

  test('what the client has is not sent again; a range of something else is sent whole', async () => {
    const tag = `"${sha256(weights)}"`;
    const known = await file('1/files/model.safetensors', { 'if-none-match': `"other", ${tag}` });
    expect(known.status).toBe(304);
    expect((await known.arrayBuffer()).byteLength).toBe(0);
    expect((await file('1/files/model.safetensors', { range: 'bytes=0-1', 'if-range': '"other"' })).status).toBe(200);
    expect((await file('1/files/model.safetensors', { range: 'bytes=0-1', 'if-range': tag })).status).toBe(206);
  });

  test.each(['nothing.json', '../config.json', '%2e%2e%2fconfig.json', 'config.json%00', 'a%2Fb.json'])(
    'there is no file %s',
    async (path) => {
      const response = await fetch(`${api.url}/v1/models/team/first/versions/1/files/${path}`);
      expect([400, 404]).toContain(response.status);
      await problemOf(response);
    },
  );
});

describe('reads', () => {
  test('have a tag, and 304 while nothing has changed', async () => {
    for (const path of ['/v1/models', '/v1/models/team/first', '/v1/models/team/first/versions/1', '/v1/methods']) {
      const first = await api.client.get(path);
      const tag = first.headers.get('etag') ?? '';
      expect(tag).toMatch(/^"[\w-]{43}"$/);
      const second = await api.client.get(path, { 'if-none-match': tag });
      expect({ path, status: second.status }).toEqual({ path, status: 304 });
    }
    const { headers } = await api.client.get('/v1/models/team/first');
    await api.client.push('team/first', base);
    const changed = await api.client.get('/v1/models/team/first', { 'if-none-match': headers.get('etag') ?? '' });
    expect(changed.status).toBe(200);
  });
});

describe('aliases', () => {
  const path = '/v1/models/team/first/aliases/production';
  const put = (version: number, headers: Record<string, string> = {}) =>
    fetch(api.url + path, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ version }),
    });

  test('are made, kept from being moved unseen, moved and deleted', async () => {
    const made = await put(1, { 'if-none-match': '*' });
    expect(made.status).toBe(201);
    const first = made.headers.get('etag') ?? '';
    expect((await api.client.get(path)).headers.get('etag')).toBe(first);
    expect((await api.client.get('/v1/models/team/first/versions/production')).body['version']).toBe(1);

    expect(await problemOf(await put(1, { 'if-none-match': '*' }))).toMatchObject({ code: 'precondition_failed' });
    expect(await problemOf(await put(2))).toMatchObject({ status: 428, code: 'precondition_required' });
    expect((await put(1)).status).toBe(200);

    const moved = await put(2, { 'if-match': first });
    expect(moved.status).toBe(200);
    const second = moved.headers.get('etag') ?? '';
    expect(second).not.toBe(first);
    expect(await problemOf(await put(1, { 'if-match': first }))).toMatchObject({ status: 412 });
    expect((await api.client.get('/v1/models/team/first')).body['aliases']).toMatchObject({ production: 2 });

    const remove = (headers: Record<string, string>) => fetch(api.url + path, { method: 'DELETE', headers });
    expect(await problemOf(await remove({ 'if-match': first }))).toMatchObject({ status: 412 });
    expect((await remove({ 'if-match': second })).status).toBe(204);
    expect(await problemOf(await remove({}))).toMatchObject({ status: 404, code: 'alias_not_found' });
    expect(await problemOf(await put(1, { 'if-match': '*' }))).toMatchObject({ status: 412 });
  });

  test('of two that are made at once, one is', async () => {
    const url = `${api.url}/v1/models/team/first/aliases/raced`;
    const make = (version: number) =>
      fetch(url, {
        method: 'PUT',
        headers: { 'content-type': 'application/json', 'if-none-match': '*' },
        body: JSON.stringify({ version }),
      });
    const statuses = (await Promise.all([1, 2, 1, 2].map(make))).map(({ status }) => status);
    expect(statuses.sort()).toEqual([201, 412, 412, 412]);
  });

  test('latest cannot be taken, and a number is no alias', async () => {
    const to = (alias: string) =>
      fetch(`${api.url}/v1/models/team/first/aliases/${alias}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: '{"version":1}',
      });
    expect(await problemOf(await to('latest'))).toMatchObject({ status: 409, code: 'alias_reserved' });
    expect(await problemOf(await to('3'))).toMatchObject({ status: 400, errors: [{ pointer: ':alias' }] });
    expect(await problemOf(await to('x%2Fy'))).toMatchObject({ status: 400 });
  });

  test('point to versions that exist', async () => {
    expect(await problemOf(await put(99))).toMatchObject({ status: 404, code: 'version_not_found' });
  });
});
