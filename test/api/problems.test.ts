import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Api, type Problem, problemOf, startApi } from '../support/api.js';

let api: Api;

beforeAll(async () => {
  api = await startApi();
}, 120_000);

afterAll(() => api.close());

const json = { 'content-type': 'application/json' };
const post = (body: string | Uint8Array, headers: Record<string, string> = json, path = '/v1/models') =>
  fetch(api.url + path, { method: 'POST', headers, body: typeof body === 'string' ? body : new Uint8Array(body) });
const get = (path: string) => fetch(api.url + path);

/** Sends bytes that no client library would, and reads what comes back until the server closes. */
function sendRaw(text: string): Promise<{ status: number; problem: Problem }> {
  const { hostname, port } = new URL(api.url);
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => {
      const [head = '', body = ''] = answer.split('\r\n\r\n');
      expect(head).toContain('application/problem+json');
      resolve({ status: Number(head.split(' ')[1]), problem: JSON.parse(body) as Problem });
    });
  });
}

describe('every refusal is a problem', () => {
  const cases: [string, () => Promise<Response>, number, string][] = [
    ['no such path', () => get('/nothing'), 404, 'not_found'],
    ['no such path under /v1', () => get('/v1/nothing'), 404, 'not_found'],
    ['another method', () => fetch(`${api.url}/v1/models`, { method: 'DELETE' }), 405, 'method_not_allowed'],
    ['another method of a path with names', () => post('{}', json, '/v1/models/a/b'), 405, 'method_not_allowed'],
    // It may have a body, whose type is of no interest.
    ['a method with a body', () => fetch(`${api.url}/v1/models`, { method: 'QUERY' }), 405, 'method_not_allowed'],
    ['a percent sign alone', () => get('/v1/models/%/x'), 400, 'malformed_url'],
    ['an escape that is no UTF-8', () => get('/v1/models/%ff/x'), 400, 'malformed_url'],
    ['a NUL in the path', () => get('/v1/models/a%00/x'), 400, 'invalid_request'],
    ['a NUL in the query', () => get('/v1/models?search=a%00'), 400, 'invalid_request'],
    ['a part of the path that is too long', () => get(`/v1/models/${'x'.repeat(4000)}/x`), 414, 'url_too_long'],
    ['a body that is no JSON', () => post('{'), 400, 'malformed_body'],
    ['an empty body', () => post(''), 400, 'malformed_body'],
    ['JSON that is cut off', () => post('{"namespace":"a"'), 400, 'malformed_body'],
    ['100,000 nested lists', () => post('['.repeat(60_000)), 400, 'malformed_body'],
    ['30,000 nested lists, closed', () => post('['.repeat(30_000) + ']'.repeat(30_000)), 400, 'invalid_request'],
    ['a body that wants to be a prototype', () => post('{"__proto__":{"namespace":"a"}}'), 400, 'malformed_body'],
    [
      'a constructor that wants to be a prototype',
      () => post('{"constructor":{"prototype":{"a":1}}}'),
      400,
      'malformed_body',
    ],
    ['a body of another type', () => post('x', { 'content-type': 'text/plain' }), 415, 'unsupported_media_type'],
    [
      'a form',
      () => post('a=b', { 'content-type': 'application/x-www-form-urlencoded' }),
      415,
      'unsupported_media_type',
    ],
    ['a body without a type', () => post(new Uint8Array([1]), {}), 415, 'unsupported_media_type'],
    [
      'bytes where JSON belongs',
      () => post('x', { 'content-type': 'application/octet-stream' }),
      415,
      'unsupported_media_type',
    ],
    ['a media type that is none', () => post('{}', { 'content-type': '/' }), 415, 'unsupported_media_type'],
    ['64 KiB and one byte', () => post(' '.repeat(65_537)), 413, 'body_too_large'],
    [
      '64 KiB and one byte of YAML',
      () => post(' '.repeat(65_537), { 'content-type': 'application/yaml' }, '/v1/recipes/validate'),
      413,
      'body_too_large',
    ],
    [
      'YAML where JSON belongs',
      () => post('namespace: a', { 'content-type': 'application/yaml' }),
      415,
      'unsupported_media_type',
    ],
    ['null', () => post('null'), 400, 'invalid_request'],
    ['a list', () => post('[]'), 400, 'invalid_request'],
    ['a NUL in a text', () => post('{"namespace":"a","name":"b","description":"\\u0000"}'), 400, 'invalid_request'],
    ['an id that is none', () => get('/v1/uploads/1'), 400, 'invalid_request'],
    ['an id of nothing', () => get('/v1/uploads/00000000-0000-4000-8000-000000000000'), 404, 'upload_not_found'],
  ];

  test.each(cases)('%s', async (_name, ask, status, code) => {
    const response = await ask();
    const problem = await problemOf(response);
    expect({ status: problem.status, code: problem.code }).toEqual({ status, code });
    expect(problem.detail).toMatch(/\.$/);
    expect(problem['requestId']).toBe(response.headers.get('x-request-id'));
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  test('says which methods there are', async () => {
    const response = await fetch(`${api.url}/v1/models/a/b/aliases/c`, { method: 'POST', body: '{}', headers: json });
    expect(response.headers.get('allow')).toBe('DELETE, GET, HEAD, PUT');
  });

  test('points at every reason', async () => {
    const problem = await problemOf(await post('{"namespace":"a b","name":3,"descripton":"x"}'));
    expect(problem.errors?.map(({ pointer }) => pointer).sort()).toEqual(['', '/name', '/namespace']);
    expect(JSON.stringify(problem.errors)).toContain('descripton');
  });

  test('does not repeat a long text', async () => {
    const problem = await problemOf(await get(`/v1/${'x'.repeat(3000)}`));
    expect(problem.detail.length).toBeLessThan(300);
  });
});

describe('what Node itself refuses is a problem too', () => {
  test.each([
    ['no HTTP', 'hello\r\n\r\n', 400, 'malformed_header'],
    ['a header without a name', 'GET / HTTP/1.1\r\nHost: localhost\r\n: x\r\n\r\n', 400, 'malformed_header'],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      400,
      'malformed_header',
    ],
    [
      'a length and chunks',
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
      'malformed_header',
    ],
    [
      'headers without end',
      `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'headers_too_large',
    ],
  ])('%s', async (_name, text, status, code) => {
    const answer = await sendRaw(text);
    expect({ status: answer.status, code: answer.problem.code }).toEqual({ status, code });
  });
});

describe('hostile recipes', () => {
  test.each([
    ['[[[[', '['.repeat(60_000)],
    ['{{{{', '{'.repeat(60_000)],
    [
      'a billion laughs',
      `a: &a [x,x,x,x,x,x,x,x]\n${'bcdefghij'
        .split('')
        .map((key, at) => `${key}: &${key} [${`*${'abcdefghij'[at]},`.repeat(8)}]`)
        .join('\n')}`,
    ],
    ['an unknown tag', 'a: !!python/object/apply:os.system [id]'],
  ])('%s', async (_name, yaml) => {
    const started = performance.now();
    const problem = await problemOf(await post(yaml, { 'content-type': 'application/yaml' }, '/v1/recipes/validate'));
    expect(problem.status).toBe(422);
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(problem.errors?.[0]).toHaveProperty('line');
  });

  test('the server is well afterwards', async () => {
    expect((await get('/readyz')).status).toBe(200);
  });
});
