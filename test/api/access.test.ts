import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newApiKey } from '../../src/auth/api-keys.js';
import { type Api, problemOf, startApi } from '../support/api.js';

let api: Api;

/** fetch() sets Host and Origin itself, as a browser does; an attack needs its own. */
function send(
  method: string,
  path: string,
  headers: Record<string, string>,
): Promise<{ status: number; code?: string; cors?: string }> {
  const { hostname, port } = new URL(api.url);
  return new Promise((resolve, reject) => {
    const body = method === 'POST' ? '{"namespace":"evil","name":"x"}' : '';
    const request = httpRequest({
      hostname,
      port,
      method,
      path,
      headers: { 'content-length': body.length, ...headers },
    });
    request.on('error', reject);
    request.on('response', (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => {
        const isProblem = response.headers['content-type']?.includes('problem');
        const cors = response.headers['access-control-allow-origin'];
        resolve({
          status: response.statusCode ?? 0,
          ...(isProblem && { code: (JSON.parse(text) as { code: string }).code }),
          ...(cors !== undefined && { cors }),
        });
      });
    });
    request.end(body);
  });
}

describe('a server without keys', () => {
  beforeAll(async () => {
    api = await startApi();
  }, 120_000);

  afterAll(() => api.close());

  const json = { 'content-type': 'application/json' };
  const own = () => new URL(api.url).host;

  test.each([
    'evil.example',
    'evil.example:80',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    'localhost.',
    '127.0.0.1@evil',
    '0.0.0.0',
    '[::]',
  ])('answers nobody who came by the name %j', async (host) => {
    for (const path of ['/v1/models', '/docs', '/openapi.json', '/nothing']) {
      expect(await send('GET', path, { host })).toEqual({ status: 403, code: 'host_not_allowed' });
    }
  });

  test.each([
    'http://evil.example',
    'https://127.0.0.1',
    'null',
    'http://127.0.0.1',
    'http://localhost:1',
    'file://',
    '',
  ])('does nothing for a page of %j', async (origin) => {
    expect(await send('POST', '/v1/models', { ...json, host: own(), origin })).toEqual({
      status: 403,
      code: 'origin_not_allowed',
    });
    expect(
      await send('OPTIONS', '/v1/models', { host: own(), origin, 'access-control-request-method': 'POST' }),
    ).not.toHaveProperty('cors');
    expect((await send('GET', '/v1/models', { host: own(), origin })).cors).toBeUndefined();
  });

  test('does nothing for a form of another site, which needs no permission to post', async () => {
    const form = { host: own(), 'content-type': 'text/plain', 'sec-fetch-site': 'cross-site' };
    expect(await send('POST', '/v1/models', form)).toMatchObject({ status: 403 });
    expect(await send('POST', '/v1/models', { host: own(), 'content-type': 'text/plain' })).toMatchObject({
      status: 415,
    });
    expect((await api.client.get('/v1/models?namespace=evil')).body['items']).toEqual([]);
  });

  test('answers programs and its own pages, also through a tunnel to another port', async () => {
    for (const host of [own(), 'localhost', 'localhost:9999', '[::1]:8080', 'LOCALHOST:1']) {
      expect(await send('GET', '/v1/models', { host })).toMatchObject({ status: 200 });
    }
    const headers = {
      ...json,
      host: 'localhost:9999',
      origin: 'http://localhost:9999',
      'sec-fetch-site': 'same-origin',
    };
    expect((await send('POST', '/v1/models', headers)).status).toBe(201);
  });
});

describe('a server with keys', () => {
  const alice = newApiKey('alice');
  const build = newApiKey('build.1');

  beforeAll(async () => {
    api = await startApi({ AMALGAM_API_KEYS: `${alice.line},${build.line}`, AMALGAM_HOST: '0.0.0.0' });
  }, 120_000);

  afterAll(() => api.close());

  const get = (path: string, authorization?: string) =>
    fetch(api.url + path, { headers: authorization === undefined ? {} : { authorization } });

  test.each([
    ['none', undefined],
    ['an unknown one', `Bearer ${newApiKey('mallory').key}`],
    ['the digest of one', `Bearer ${alice.line.split(':')[1] ?? ''}`],
    ['the line of one', `Bearer ${alice.line}`],
    ['one with something behind it', `Bearer ${alice.key}x`],
    ['one of another scheme', `Basic ${alice.key}`],
    ['one without a scheme', alice.key],
    ['an empty one', 'Bearer '],
  ])('refuses %s, whatever is asked', async (_name, authorization) => {
    for (const path of [
      '/v1/models',
      '/v1/merges',
      '/v1/methods',
      '/v1/models/a/b/versions/1/files/x',
      '/v1/uploads/x',
    ]) {
      const answer = await get(path, authorization);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
      expect(await problemOf(answer)).toMatchObject({ status: 401, code: 'unauthenticated' });
    }
  });

  test('knows who calls', async () => {
    const headers = { authorization: `Bearer ${build.key}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ namespace: 'team', name: 'model' });
    expect((await fetch(`${api.url}/v1/models`, { method: 'POST', headers, body })).status).toBe(201);
    const upload = await fetch(`${api.url}/v1/models/team/model/uploads`, { method: 'POST', headers, body: '{}' });
    expect(await upload.json()).toMatchObject({ createdBy: 'build.1' });
    expect((await get('/v1/models', `bearer ${alice.key}`)).status).toBe(200);
  });

  test('keeps the idempotency keys of its callers apart', async () => {
    const create = (key: string, name: string) =>
      fetch(`${api.url}/v1/models`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'idempotency-key': 'same' },
        body: JSON.stringify({ namespace: 'team', name }),
      });
    expect((await create(alice.key, 'of-alice')).status).toBe(201);
    expect((await create(build.key, 'of-build')).status).toBe(201);
  });

  test('finds a protected path in every spelling', async () => {
    for (const path of ['/%761/models', '/v1/%6dodels', '/v1', '/v1?x', '/v1/nothing']) {
      expect((await get(path)).status).toBe(401);
    }
  });

  test('shows its health and its documentation to anybody', async () => {
    for (const path of ['/livez', '/readyz', '/docs', '/openapi.json']) expect((await get(path)).status).toBe(200);
  });

  test('has no route under /v1 that forgets to ask', async () => {
    const { paths } = (await (await get('/openapi.json')).json()) as { paths: Record<string, Record<string, unknown>> };
    for (const [path, methods] of Object.entries(paths)) {
      if (!path.startsWith('/v1')) continue;
      for (const method of Object.keys(methods)) {
        const url = api.url + path.replace(/\{\w+\}/g, 'x');
        const { status } = await fetch(url, { method: method.toUpperCase(), ...(method !== 'get' && { body: '' }) });
        expect({ path, method, status }).toEqual({ path, method, status: 401 });
      }
    }
  });
});
