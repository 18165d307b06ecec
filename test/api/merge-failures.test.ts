import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HttpClient } from '../support/http-client.js';
import { readSample } from '../support/sample-models.js';
import { type ServiceProcess, startService } from '../support/service-process.js';

// Long enough for a machine that is busy with other things; nothing here waits for time to pass.
jest.setTimeout(60_000);

const request = {
  recipe: {
    merge_method: 'linear',
    models: [
      { model: 'team/good', parameters: { weight: 1 } },
      { model: 'team/flipped', parameters: { weight: 1 } },
    ],
  },
  output: 'team/merged',
};

let service: ServiceProcess;
let client: HttpClient;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'amalgam-failures-'));
  service = await startService({ AMALGAM_DATA_DIR: directory });
  client = new HttpClient(service.url);
  await client.push('team/good', readSample('base'));
  await client.push('team/flipped', readSample('sort'));
}, 60_000);

afterAll(async () => {
  service.kill('SIGTERM');
  await service.exited;
  await rm(directory, { recursive: true, force: true });
});

/** The stored file with exactly these bytes: where objects lie is the store's own business. */
async function objectOf(bytes: Uint8Array): Promise<string> {
  for (const entry of await readdir(join(directory, 'objects'), { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || (await stat(path)).size !== bytes.byteLength) continue;
    if ((await readFile(path)).equals(bytes)) return path;
  }
  throw new Error('no object has these bytes');
}

describe('a stored input that was damaged', () => {
  test('fails the merge before its bytes are used; put right and tried again, it succeeds', async () => {
    const bytes = readSample('sort')['model.safetensors'] ?? new Uint8Array();
    const path = await objectOf(bytes);
    const flipped = Buffer.from(bytes);
    flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1;
    await writeFile(path, flipped);

    const id = String((await client.post('/v1/merges', request)).body['id']);
    const failed = await client.reach(id, ['failed']);
    expect(failed['failure']).toMatchObject({ code: 'digest_mismatch' });
    expect(failed['version']).toBeNull();
    expect((await client.get('/v1/models/team/merged')).status).toBe(404);
    const last = (await client.events(id)).at(-1);
    expect(last).toMatchObject({ type: 'failed', data: { data: { code: 'digest_mismatch' } } });

    // A failed merge is no twin: the same request is a merge of its own, and fails alike.
    const second = await client.post('/v1/merges', request);
    expect(second.status).toBe(202);
    expect(second.body['id']).not.toBe(id);
    await client.reach(String(second.body['id']), ['failed']);

    await writeFile(path, bytes);
    expect((await client.post(`/v1/merges/${id}/retry`)).status).toBe(202);
    expect(await client.reach(id, ['succeeded'])).toMatchObject({ version: 'team/merged@1', failure: null });
    // The other one could be tried again too; its bytes are there now, but it is another merge.
    expect((await client.post(`/v1/merges/${String(second.body['id'])}/retry`)).status).toBe(202);
    expect(await client.reach(String(second.body['id']), ['succeeded'])).toMatchObject({ version: 'team/merged@2' });
    expect((await client.get('/v1/models/team/merged/versions')).body['items']).toHaveLength(2);
  }, 60_000);
});

describe('two ended merges of the same plan', () => {
  test('only one of them can be tried again at a time', async () => {
    const body = { ...request, seed: 5, shardBytes: 65_536, output: 'team/twice' };
    const ids: string[] = [];
    for (let count = 0; count < 2; count += 1) {
      const id = String((await client.post('/v1/merges', body)).body['id']);
      await client.post(`/v1/merges/${id}/cancel`);
      await client.reach(id, ['cancelled'], 15);
      ids.push(id);
    }
    expect(new Set(ids).size).toBe(2);
    expect((await client.post(`/v1/merges/${ids[0] ?? ''}/retry`)).status).toBe(202);
    const second = await client.post(`/v1/merges/${ids[1] ?? ''}/retry`);
    expect(second).toMatchObject({ status: 409, body: { code: 'merge_twin_running' } });
    await client.reach(ids[0] ?? '', ['succeeded']);
    // And a request for it is answered with the one that made it.
    expect(await client.post('/v1/merges', body)).toMatchObject({
      status: 200,
      body: { id: ids[0], deduplicated: true },
    });
  }, 60_000);
});

describe('a model with NaN in it', () => {
  const withNan = {
    ...request.recipe,
    models: [{ model: 'team/good' }, { model: 'team/broken' }].map((entry) => ({
      ...entry,
      parameters: { weight: 1 },
    })),
  };

  beforeAll(async () => {
    const sample = readSample('sort');
    const weights = Buffer.from(sample['model.safetensors'] ?? []);
    weights.writeUInt16LE(0x7fc0, weights.length - 2);
    await client.push('team/broken', { ...sample, 'model.safetensors': weights });
  });

  test('fails the merge by name, and makes no model', async () => {
    const { body } = await client.post('/v1/merges', { recipe: withNan, output: 'team/spoilt' });
    const failed = await client.reach(String(body['id']), ['failed']);
    expect(failed['failure']).toMatchObject({ code: 'nan_in_result', detail: expect.stringContaining('model.') });
    expect((await client.get('/v1/models/team/spoilt')).status).toBe(404);
  });

  test('is merged when that is asked for, and counts as another merge', async () => {
    const asked = { recipe: withNan, output: 'team/spoilt', allowNan: true };
    const { body } = await client.post('/v1/merges', asked);
    expect(await client.reach(String(body['id']), ['succeeded'])).toMatchObject({ plan: { allowNan: true } });
    const strict = await client.post('/v1/merges', { ...asked, allowNan: false });
    expect(strict).toMatchObject({ status: 202, body: { deduplicated: false } });
  });
});
