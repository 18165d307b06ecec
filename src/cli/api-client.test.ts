import { afterEach, describe, expect, it } from '@jest/globals';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApiClient } from './api-client.js';
import { describeError } from './describe-error.js';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

async function client(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<ApiClient> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return new ApiClient(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`, 'amalgam_key');
}

const problem = (status: number, members: object) => (_request: IncomingMessage, response: ServerResponse) => {
  response.writeHead(status, { 'content-type': 'application/problem+json' });
  response.end(JSON.stringify(members));
};

async function refusal(of: Promise<ApiClient>, recipe?: { path: string; text: string }): Promise<string> {
  const error = await (await of).json('/v1/x').then(
    () => 'no error',
    (error: unknown) => error,
  );
  return describeError(error, recipe);
}

describe('ApiClient', () => {
  it('sends the key, and JSON with its length', async () => {
    const to = await client((request, response) => response.end(JSON.stringify(request.headers)));
    expect(await to.json('/v1/x', { method: 'POST', body: { a: 1 } })).toMatchObject({
      authorization: 'Bearer amalgam_key',
      'content-type': 'application/json',
      'content-length': '7',
    });
  });

  it('does not carry the key to another place', async () => {
    const to = client((_request, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end());
    expect(await refusal(to)).toMatch(/^error service_unreachable: http:\/\/127\.0\.0\.1:\d+: unexpected redirect$/);
  });

  it('shows problems with code, detail and pointer', async () => {
    const members = { code: 'model_exists', detail: 'It exists.', pointer: '/name' };
    expect(await refusal(client(problem(409, members)))).toBe('error model_exists: It exists. (/name)');
    expect(await refusal(client(problem(503, {})))).toBe('error http_503: The service answered 503.');
  });

  it('places the reasons that lie in the recipe', async () => {
    const recipe = { path: 'r.yaml', text: 'merge_method: linear\nmodels:\n  - model: team/a\n' };
    const errors = [
      { pointer: '/models/0/model', detail: 'There is none.', code: 'input_not_found' },
      { pointer: '?seed', detail: 'must be a number', code: 'invalid' },
    ];
    expect(await refusal(client(problem(422, { code: 'x', detail: 'y', errors })), recipe)).toBe(
      'r.yaml:3:12: error input_not_found: There is none. (/models/0/model)\nerror invalid: must be a number (?seed)',
    );
  });

  it('notices that something else answers', async () => {
    expect(await refusal(client((_request, response) => response.end('<html>')))).toMatch(/^error unexpected_answer: /);
    expect(await refusal(client((_request, response) => response.writeHead(502).end('<html>')))).toMatch(
      /^error unexpected_answer: .*502/,
    );
  });
});
