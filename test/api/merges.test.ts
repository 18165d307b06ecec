import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { HttpClient } from '../support/http-client.js';
import { pushSamples } from '../support/sample-models.js';
import { type ServiceProcess, startService } from '../support/service-process.js';

// Long enough for a machine that is busy with other things; nothing here waits for time to pass.
jest.setTimeout(60_000);

const slerp = {
  merge_method: 'slerp',
  base_model: 'samples/reverse',
  models: [{ model: 'samples/sort' }],
  parameters: { t: 0.5 },
  dtype: 'bfloat16',
};
const withT = (t: number) => ({ ...slerp, parameters: { t } });

let service: ServiceProcess;
let client: HttpClient;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'amalgam-merges-'));
  service = await startService({ AMALGAM_DATA_DIR: directory });
  client = new HttpClient(service.url);
  await pushSamples(client);
}, 60_000);

afterAll(async () => {
  service.kill('SIGTERM');
  await service.exited;
  await rm(directory, { recursive: true, force: true });
});

async function submit(recipe: object, output: string, more: object = {}): Promise<string> {
  const answer = await client.post('/v1/merges', { recipe, output, ...more });
  expect(answer.status).toBe(202);
  return String(answer.body['id']);
}

describe('plans', () => {
  test('say from headers alone what will be merged and what it will cost', async () => {
    const { status, body } = await client.post('/v1/plans', { recipe: slerp, shardBytes: 200_000 });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      method: 'slerp',
      dtype: 'BF16',
      architecture: 'LlamaForCausalLM',
      parameterCount: 449_376,
      tensors: { merged: 39, copied: 0, dropped: 0 },
      shards: 5,
      shardBytes: 200_000,
      inputs: [
        { reference: 'samples/reverse', role: 'base', version: 'samples/reverse@1', licence: 'apache-2.0' },
        { reference: 'samples/sort', role: 'model', version: 'samples/sort@1' },
      ],
      warnings: [],
    });
    const { outputBytes, readBytes, peakMemoryBytes } = body as Record<string, number>;
    expect(outputBytes).toBeGreaterThan(2 * 449_376);
    expect(readBytes).toBeGreaterThanOrEqual(4 * 449_376);
    expect(peakMemoryBytes).toBeGreaterThan(0);
  });

  test('the same recipe gives the same digest, however it is written; another seed or shard size another one', async () => {
    const yaml =
      'merge_method: slerp\nbase_model: samples/reverse@latest\nmodels: [{model: samples/sort@1}]\nparameters: {t: 0.5}\ndtype: bfloat16\n';
    const digest = async (body: unknown, query = '') => (await client.post(`/v1/plans${query}`, body)).body['digest'];
    const first = await digest({ recipe: slerp });
    expect(await digest(yaml)).toBe(first);
    expect(await digest({ recipe: yaml })).toBe(first);
    expect(await digest(yaml, '?seed=1')).not.toBe(first);
    expect(await digest(yaml, '?shardBytes=100000')).not.toBe(first);
  });

  test('warn with pointers into the request', async () => {
    const recipe = { ...slerp, parameters: { t: 0.5, density: 0.5 } };
    const { body } = await client.post('/v1/plans', { recipe });
    expect(body['warnings']).toEqual([expect.objectContaining({ pointer: '/recipe/parameters/density' })]);
  });
});

describe('a merge', () => {
  test('is answered with 202, told event by event, and ends as a version with everything beside it', async () => {
    const answer = await client.post('/v1/merges', {
      recipe: slerp,
      output: 'team/first',
      alias: 'candidate',
      shardBytes: 200_000,
      labels: { purpose: 'test' },
    });
    expect(answer.status).toBe(202);
    const id = String(answer.body['id']);
    expect(answer.headers.get('location')).toBe(`/v1/merges/${id}`);
    const events = await client.events(id);
    expect(events.map(({ id: seq }) => seq)).toEqual(events.map((_event, index) => index + 1));
    const types = events.map(({ type }) => type);
    expect(types.filter((type) => type !== 'shard' && type !== 'progress')).toEqual([
      ...['queued', 'running', 'finalizing', 'succeeded'],
    ]);
    expect(events.filter(({ data }) => (data['data'] as { state?: string }).state === 'done')).toHaveLength(5);
    const merge = (await client.get(`/v1/merges/${id}`)).body;
    expect(merge).toMatchObject({
      state: 'succeeded',
      version: 'team/first@1',
      deduplicated: false,
      labels: { purpose: 'test' },
      progress: { shardsDone: 5, shardsTotal: 5 },
    });

    const version = (await client.get('/v1/models/team/first/versions/candidate')).body;
    expect(version).toMatchObject({ origin: 'merge', mergeId: id, parameterCount: 449_376, licence: 'apache-2.0' });
    const files = version['files'] as { path: string; sha256: string; bytes: number }[];
    expect(files.map(({ path }) => path)).toEqual(
      expect.arrayContaining([
        ...['README.md', 'amalgam-recipe.yaml', 'config.json', 'model.safetensors.index.json', 'tokenizer.json'],
        'model-00005-of-00005.safetensors',
      ]),
    );
    for (const { path, sha256, bytes } of files) {
      const content = await client.bytes(`/v1/models/team/first/versions/1/files/${path}`);
      expect(content).toHaveLength(bytes);
      expect(createHash('sha256').update(content).digest('hex')).toBe(sha256);
    }
    const config = JSON.parse(await client.text('/v1/models/team/first/versions/1/files/config.json')) as object;
    expect(config).toMatchObject({ architectures: ['LlamaForCausalLM'], num_hidden_layers: 4 });
  });

  test('has a report of all shards beside it, and on its card', async () => {
    const file = (path: string) => client.text(`/v1/models/team/first/versions/1/files/${path}`);
    const report = JSON.parse(await file('merge_report.json')) as Record<string, unknown[]>;
    expect(report).toMatchObject({ report: 'sampled', reference: 'base', models: ['samples/sort@1'] });
    expect(report['tensors']).toHaveLength(39);
    expect(await file('merge_report.svg')).toMatch(/^<svg [^]*layer 3, mlp[^]*<\/svg>\n$/);
    const card = await client.text('/v1/models/team/first/versions/1/card');
    expect(card).toMatch(/## What the merge did[^]*\| attention \| [\d.]+ \|/);
  });

  test('that asks for no report is another merge, without one', async () => {
    const id = await submit(slerp, 'team/unreported', { report: 'none', shardBytes: 200_000 });
    expect(await client.reach(id, ['succeeded'])).toMatchObject({ plan: { report: 'none' } });
    const { body } = await client.get('/v1/models/team/unreported/versions/1');
    const paths = (body['files'] as { path: string }[]).map(({ path }) => path);
    expect(paths.filter((path) => path.includes('report'))).toEqual([]);
  });

  test('keeps the recipe pinned, and names everything in its card but the clock and the output', async () => {
    const recipe = load(await client.text('/v1/models/team/first/versions/1/files/amalgam-recipe.yaml'));
    expect(recipe).toMatchObject({ base_model: 'samples/reverse@1', models: [{ model: 'samples/sort@1' }] });
    const card = await client.text('/v1/models/team/first/versions/1/card');
    const { body: version } = await client.get('/v1/models/team/first/versions/1');
    for (const { path, sha256 } of version['files'] as { path: string; sha256: string }[]) {
      if (path !== 'README.md') expect(card).toContain(sha256);
    }
    expect(card).toContain('samples/sort@1');
    expect(card).not.toContain('team/first');
    expect(card).not.toMatch(/202\d-\d\d/);
  });

  test('its events can be continued after the last one seen, and listed', async () => {
    const { body } = await client.get('/v1/merges?output=team/first');
    const [merge] = body['items'] as { id: string; lastEvent: number }[];
    const { id = '', lastEvent = 0 } = merge ?? {};
    const rest = await client.events(id, { after: lastEvent - 2 });
    expect(rest.map(({ id: seq }) => seq)).toEqual([lastEvent - 1, lastEvent]);
    expect(await client.events(id, { after: lastEvent })).toEqual([]);
    const list = (await client.get(`/v1/merges/${id}/events?after=${lastEvent - 1}`)).body['items'];
    expect(list).toEqual([rest[1]?.data]);
  });

  test('has an ETag that changes with it', async () => {
    const { body } = await client.get('/v1/merges?output=team/first');
    const path = `/v1/merges/${String((body['items'] as { id: string }[])[0]?.id)}`;
    const tag = (await client.get(path)).headers.get('etag') ?? '';
    expect((await client.get(path, { 'if-none-match': tag })).status).toBe(304);
  });

  test('found anywhere in the list: by state, output and label, newest first, page by page', async () => {
    const ids: string[] = [];
    for (const t of [0.11, 0.12, 0.13]) {
      ids.unshift(await submit(withT(t), `team/list`, { labels: { group: 'list' } }));
      await client.reach(ids[0] ?? '', ['succeeded']);
    }
    const first = (await client.get('/v1/merges?label=group%3Dlist&limit=2')).body as Record<string, never>;
    const idsOf = (page: Record<string, unknown>) => (page['items'] as { id: string }[]).map(({ id }) => id);
    expect(idsOf(first)).toEqual(ids.slice(0, 2));
    const second = await client.get(`/v1/merges?label=group%3Dlist&limit=2&cursor=${String(first['nextCursor'])}`);
    expect(idsOf(second.body)).toEqual(ids.slice(2));
    expect(second.body['nextCursor']).toBeNull();
    expect(idsOf((await client.get('/v1/merges?state=failed')).body)).toEqual([]);
  });
});

describe('the same merge again', () => {
  test('is answered with 200 and the merge that made it', async () => {
    const id = await submit(withT(0.21), 'team/again');
    await client.reach(id, ['succeeded']);
    const { status, body } = await client.post('/v1/merges', {
      recipe: withT(0.21),
      output: 'team/again',
      alias: 'same',
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({ id, deduplicated: true, version: 'team/again@1' });
    expect((await client.get('/v1/models/team/again/versions/same')).body).toMatchObject({ version: 1 });
  });

  test('under another name is a new version on the same blobs', async () => {
    const { status, body } = await client.post('/v1/merges', { recipe: withT(0.21), output: 'other/name' });
    expect(status).toBe(200);
    expect(body).toMatchObject({ state: 'succeeded', deduplicated: true, version: 'other/name@1' });
    const [one, two] = await Promise.all(
      ['team/again', 'other/name'].map(async (name) => (await client.get(`/v1/models/${name}/versions/1`)).body),
    );
    expect(two?.['digest']).toBe(one?.['digest']);
    expect(two).toMatchObject({ origin: 'merge', mergeId: body['id'] });
    const lineage = (await client.get('/v1/models/other/name/versions/1/lineage')).body;
    expect(lineage['ancestors']).toHaveLength(2);
  });

  test('while it is under way is answered with 202 and that merge, also when both come at once', async () => {
    const request = { recipe: withT(0.22), output: 'team/twins', shardBytes: 65_536 };
    const answers = await Promise.all(Array.from({ length: 5 }, () => client.post('/v1/merges', request)));
    expect(new Set(answers.map(({ body }) => body['id'])).size).toBe(1);
    expect(answers.every(({ status }) => status === 202)).toBe(true);
    await client.reach(String(answers[0]?.body['id']), ['succeeded']);
    expect((await client.get('/v1/models/team/twins/versions')).body['items']).toHaveLength(1);
  });

  test('with the same Idempotency-Key is one merge and the same answer', async () => {
    const key = { 'idempotency-key': 'merge-once' };
    const request = { recipe: withT(0.23), output: 'team/idempotent' };
    const first = await client.post('/v1/merges', request, key);
    await client.reach(String(first.body['id']), ['succeeded']);
    const second = await client.post('/v1/merges', request, key);
    expect(second.status).toBe(202);
    expect(second.body).toEqual(first.body);
    expect((await client.post('/v1/merges', { ...request, seed: 1 }, key)).status).toBe(422);
  });
});

describe('cancelling and trying again', () => {
  test('a cancelled merge never makes a version; a retry keeps what was done and gives the same bytes', async () => {
    const request = { recipe: withT(0.31), output: 'team/cancelled', shardBytes: 65_536 };
    const id = String((await client.post('/v1/merges', request)).body['id']);
    await client.events(id, { isEnough: ({ data }) => (data['data'] as { state?: string }).state === 'done' });
    const answer = await client.post(`/v1/merges/${id}/cancel`);
    expect(answer.status).toBe(202);
    await client.reach(id, ['cancelled'], 15);
    expect((await client.get('/v1/models/team/cancelled')).status).toBe(404);
    expect((await client.post(`/v1/merges/${id}/cancel`)).body['state']).toBe('cancelled');

    const cancelled = (await client.get(`/v1/merges/${id}`)).body;
    expect((await client.post(`/v1/merges/${id}/retry`)).status).toBe(202);
    await client.reach(id, ['succeeded']);
    const attempts = (await client.events(id, { after: Number(cancelled['lastEvent']) }))
      .map(({ data }) => data['data'] as { index?: number; state?: string })
      .filter(({ state }) => state === 'done');
    const { shardsTotal } = cancelled['progress'] as { shardsDone: number; shardsTotal: number };
    const { shardsDone } = cancelled['progress'] as { shardsDone: number; shardsTotal: number };
    expect(shardsDone).toBeGreaterThan(0);
    expect(attempts).toHaveLength(shardsTotal - shardsDone);

    const straight = await submit(withT(0.31), 'team/straight', { shardBytes: 65_537 });
    await client.reach(straight, ['succeeded']);
    const weights = async (name: string) =>
      ((await client.get(`/v1/models/${name}/versions/1`)).body['files'] as { path: string; sha256: string }[])
        .filter(({ path }) => path.endsWith('.safetensors'))
        .map(({ sha256 }) => sha256);
    expect(await weights('team/cancelled')).toEqual(await weights('team/straight'));
  });

  test('what has ended well can be neither cancelled nor tried again', async () => {
    const id = await submit(withT(0.32), 'team/done');
    await client.reach(id, ['succeeded']);
    expect(await client.post(`/v1/merges/${id}/cancel`)).toMatchObject({
      status: 409,
      body: { code: 'merge_finished' },
    });
    expect(await client.post(`/v1/merges/${id}/retry`)).toMatchObject({
      status: 409,
      body: { code: 'merge_not_retryable' },
    });
  });
});

describe('lineage', () => {
  test('knows ancestors and descendants over several generations, as JSON and as pictures', async () => {
    const parent = await submit(withT(0.41), 'family/parent');
    await client.reach(parent, ['succeeded']);
    const recipe = {
      merge_method: 'linear',
      models: [
        { model: 'family/parent', parameters: { weight: 0.5 } },
        { model: 'samples/light', parameters: { weight: 0.5 } },
      ],
    };
    await client.reach(await submit(recipe, 'family/child'), ['succeeded']);
    const child = (await client.get('/v1/models/family/child/versions/1/lineage')).body;
    const names = (lineage: Record<string, unknown>, which: string) => {
      const nodes = lineage['nodes'] as { versionId: string; name: string }[];
      return (lineage[which] as string[]).map((id) => nodes.find(({ versionId }) => versionId === id)?.name).sort();
    };
    expect(names(child, 'ancestors')).toEqual([
      ...['family/parent@1', 'samples/light@1', 'samples/reverse@1', 'samples/sort@1'],
    ]);
    expect(child['edges']).toHaveLength(4);
    const upwards = (await client.get('/v1/models/samples/sort/versions/1/lineage')).body;
    expect(names(upwards, 'descendants')).toEqual(expect.arrayContaining(['family/child@1', 'family/parent@1']));
    expect((await client.get('/v1/models/samples/sort/versions/1/lineage?limit=1')).body['truncated']).toBe(true);

    const mermaid = await client.text('/v1/models/family/child/versions/1/lineage?format=mermaid');
    expect(mermaid).toContain('["family/child@1<br/>linear"]');
    const svg = await client.get('/v1/models/family/child/versions/1/lineage?format=svg');
    expect(svg.headers.get('content-type')).toContain('image/svg+xml');
    expect(svg.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(svg.body['text']).toContain('family/child@1');
    const card = await client.text('/v1/models/family/child/versions/1/card');
    expect(card).toContain('samples/reverse@1');
  });
});

describe('refusals', () => {
  test('a GPU is asked for and none is there', async () => {
    const answer = await client.post('/v1/merges', { recipe: slerp, output: 'team/gpu', device: 'gpu' });
    expect(answer).toMatchObject({ status: 422, body: { code: 'no_gpu_worker' } });
    expect((await client.get('/v1/models/team/gpu')).status).toBe(404);
  });

  test('an unknown merge', async () => {
    const id = '00000000-0000-4000-8000-000000000000';
    for (const path of ['', '/events']) {
      expect(await client.get(`/v1/merges/${id}${path}`)).toMatchObject({
        status: 404,
        body: { code: 'merge_not_found' },
      });
    }
    for (const path of ['/cancel', '/retry']) {
      expect(await client.post(`/v1/merges/${id}${path}`)).toMatchObject({
        status: 404,
        body: { code: 'merge_not_found' },
      });
    }
  });
});
