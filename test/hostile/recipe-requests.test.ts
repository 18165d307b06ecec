import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HttpClient } from '../support/http-client.js';
import { pushSamples } from '../support/sample-models.js';
import { type ServiceProcess, startService } from '../support/service-process.js';
import { mergeAttacks, type RecipeAttack, recipeAttacks } from './recipe-requests.js';

// Long enough for a machine that is busy with other things; nothing here waits for time to pass.
jest.setTimeout(60_000);

let service: ServiceProcess;
let client: HttpClient;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'amalgam-hostile-'));
  service = await startService({ AMALGAM_DATA_DIR: directory });
  client = new HttpClient(service.url);
  await pushSamples(client, ['base', 'sort', 'light']);
}, 60_000);

afterAll(async () => {
  service.kill('SIGTERM');
  await service.exited;
  await rm(directory, { recursive: true, force: true });
});

interface Refusal {
  status: number;
  body: { code?: string; detail?: string; errors?: { pointer: string }[] };
  milliseconds: number;
}

async function attack(path: string, { body, contentType, query }: RecipeAttack): Promise<Refusal> {
  const type = contentType ?? (typeof body === 'string' ? 'application/yaml' : 'application/json');
  const begun = performance.now();
  const response = await fetch(`${client.url}${path}?${query ?? ''}`, {
    method: 'POST',
    headers: { 'content-type': type },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const milliseconds = performance.now() - begun;
  return { status: response.status, body: (await response.json()) as Refusal['body'], milliseconds };
}

function check(refusal: Refusal, { status, code, pointer }: RecipeAttack): void {
  expect({ status: refusal.status, code: refusal.body.code }).toEqual({ status, code });
  expect(refusal.body.detail?.length).toBeGreaterThan(10);
  if (pointer !== undefined) expect(refusal.body.errors?.[0]?.pointer).toBe(pointer);
  // The promise is 50 ms for 64 KiB, which a busy machine cannot show; a bomb would take minutes.
  expect(refusal.milliseconds).toBeLessThan(5_000);
}

describe('hostile recipes are refused', () => {
  test.each(recipeAttacks.map((each) => [each.name, each] as const))('%s', async (_name, each) => {
    check(await attack('/v1/plans', each), each);
    // Raw JSON cannot be given an output without being read.
    if (typeof each.body === 'string' && each.contentType?.includes('json')) return;
    const query = [each.query, typeof each.body === 'string' ? 'output=team/hostile' : undefined];
    const body = typeof each.body === 'string' ? each.body : { ...each.body, output: 'team/hostile' };
    check(await attack('/v1/merges', { ...each, body, query: query.filter(Boolean).join('&') }), each);
  });

  test.each(mergeAttacks.map((each) => [each.name, each] as const))('%s', async (_name, each) => {
    check(await attack('/v1/merges', each), each);
  });

  test.each(['state=%00', 'output=%00', 'label=a%3D%00', 'label=%00', 'cursor=%00', 'cursor=WyJ4Il0', 'limit=1e9'])(
    'so are lists with %s',
    async (query) => {
      expect((await client.get(`/v1/merges?${query}`)).status).toBe(400);
    },
  );

  test('and leave nothing behind: no merge, no model, no object', async () => {
    expect((await client.get('/v1/merges')).body['items']).toEqual([]);
    expect((await client.get('/v1/models?namespace=team')).body['items']).toEqual([]);
    expect(await readdir(join(directory, 'objects', 'merges')).catch(() => [])).toEqual([]);
    expect((await client.get('/livez')).status).toBe(200);
  });
});
