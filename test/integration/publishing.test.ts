import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { DataSource } from 'typeorm';
import { type Api, problemOf, startApi } from '../support/api.js';
import { amalgam } from '../support/command.js';
import { until } from '../support/child-server.js';
import { dumpDatabase } from '../support/dump-database.js';
import { type FakeHub, readToken, startFakeHub, writeToken } from '../support/fake-hub.js';
import { endOf, expectWhole, publish, submitPublication } from '../support/publishing.js';
import { expectNeverHalf, faults, smallParts } from '../support/publishing-faults.js';
import { pushSamples } from '../support/sample-models.js';
import { describeWithShared } from '../support/shared.js';

// Long enough for a machine that is busy with other things; the tests wait for states.
jest.setTimeout(300_000);

const canary = 'hf_canary_4f1c9a7e';

describeWithShared('fakehub', 'publishing', (folder) => {
  let hub: FakeHub;
  let api: Api;

  beforeAll(async () => {
    hub = await startFakeHub(folder);
    api = await startApi({ AMALGAM_HUB_URL: hub.url });
    await pushSamples(api.client, ['base', 'sort']);
  }, 120_000);
  afterAll(async () => {
    await api.close();
    await hub.stop();
  }, 60_000);
  beforeEach(async () => {
    await hub.reset();
    await hub.configure(smallParts);
  });

  const sent = async (): Promise<number> => {
    const { requests } = await hub.state();
    return requests.filter(({ at, status }) => at.startsWith('PUT /cdn/') && status === 200).length;
  };
  const post = (body: object, headers: Record<string, string> = { 'hub-token': writeToken }): Promise<Response> =>
    fetch(`${api.url}/v1/publications`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });

  test('a version appears whole, public and tagged, in a repository that was made for it', async () => {
    const { body, events } = await publish(api, { version: 'samples/base@1', repository: 'hf:acme/base', tag: 'v1' });
    expect(body).toMatchObject({ state: 'succeeded', version: 'samples/base@1', repository: 'hf:acme/base' });
    await expectWhole(api, hub, 'samples/base', 'acme/base');
    const repo = (await hub.state()).repos['acme/base']!;
    expect(repo.visibility).toBe('public');
    expect(repo.tags['v1']).toBe(body['commit']);
    expect(Object.keys(repo.commits)).toHaveLength(2);
    expect(events.map(({ type }) => type).filter((type) => !['file', 'progress'].includes(type))).toEqual([
      ...['queued', 'planning', 'uploading', 'committing', 'settling', 'succeeded'],
    ]);
    const { bytesDone, bytesTotal } = body['progress'] as { bytesDone: number; bytesTotal: number };
    expect([bytesDone, bytesDone > 800_000]).toEqual([bytesTotal, true]);
  });

  test.each(Object.entries(faults))('%s', async (_name, fault) => {
    await hub.configure({ faults: [fault] });
    const { body } = await publish(api, { version: 'samples/base@1', repository: 'hf:acme/base', tag: 'v1' });
    expect(body).toMatchObject({ state: 'succeeded', failure: null });
    await expectWhole(api, hub, 'samples/base', 'acme/base');
    const { repos, requests } = await hub.state();
    expect(requests.some((each) => each.fault !== undefined)).toBe(true);
    const repo = repos['acme/base']!;
    expect(Object.keys(repo.commits)).toHaveLength(2);
    expect([repo.visibility, repo.tags['v1']]).toEqual(['public', body['commit']]);
    expectNeverHalf(repo, ['config.json', 'model.safetensors', 'tokenizer.json']);
  });

  test('what the Hub has is not sent, and the same again commits nothing', async () => {
    await publish(api, { version: 'samples/base@1', repository: 'hf:acme/base' });
    const before = await sent();
    await publish(api, { version: 'samples/base@1', repository: 'hf:acme/other' });
    expect(await sent()).toBe(before);
    const { body } = await publish(api, { version: 'samples/base@1', repository: 'hf:acme/other' });
    const repo = (await hub.state()).repos['acme/other']!;
    expect(Object.keys(repo.commits)).toHaveLength(2);
    expect(body).toMatchObject({ state: 'succeeded', commit: repo.branches['main'] });
  });

  test('another version takes the place of the one before, people’s own files stay', async () => {
    await publish(api, { version: 'samples/base@1', repository: 'hf:acme/base' });
    await hub.control({ repos: [{ id: 'acme/base', dir: folder }] });
    await publish(api, { version: 'samples/sort@1', repository: 'hf:acme/base' });
    await expectWhole(api, hub, 'samples/sort', 'acme/base');
    expect((await hub.read('acme/base', 'main', 'hub.mjs')).byteLength).toBeGreaterThan(1_000);
  });

  test('a branch, a pull request, a private and a gated repository', async () => {
    await publish(api, { version: 'samples/base@1', repository: 'hf:acme/base', revision: 'trial/x', gated: 'manual' });
    await expectWhole(api, hub, 'samples/base', 'acme/base', 'trial/x');
    const { body } = await publish(api, { version: 'samples/sort@1', repository: 'hf:acme/base', createPr: true });
    expect(body['url']).toBe(`${hub.url}/acme/base/discussions/1`);
    await expectWhole(api, hub, 'samples/sort', 'acme/base', 'refs/pr/1');
    const repo = (await hub.state()).repos['acme/base']!;
    expect(repo.gated).toBe('manual');
    expect(Object.keys(repo.commits[repo.branches['main']!]!.files)).toEqual(['.gitattributes']);
    await publish(api, { version: 'samples/base@1', repository: 'hf:acme/base', visibility: 'private' });
    expect((await hub.state()).repos['acme/base']!.visibility).toBe('private');
  });

  test('a renamed repository is followed', async () => {
    await hub.control({ repos: [{ id: 'acme/old' }] });
    await fetch(`${hub.url}/api/repos/move`, {
      method: 'POST',
      headers: { authorization: `Bearer ${writeToken}` },
      body: JSON.stringify({ fromRepo: 'acme/old', toRepo: 'acme/new', type: 'model' }),
    });
    const { body } = await publish(api, { version: 'samples/base@1', repository: 'hf:acme/old' });
    expect(body).toMatchObject({ state: 'succeeded', repository: 'hf:acme/new' });
    await expectWhole(api, hub, 'samples/base', 'acme/new');
  });

  test('a token that may only read, or none of the Hub’s, fails with a code, and nothing is there', async () => {
    for (const [token, code] of [
      [readToken, 'hub_forbidden'],
      [canary, 'hub_token_refused'],
    ] as const) {
      const { body } = await publish(api, { version: 'samples/base@1', repository: 'hf:acme/base' }, token);
      expect(body).toMatchObject({ state: 'failed', failure: { code } });
    }
    expect((await hub.state()).repos).toEqual({});
  });

  test('a tag on another commit is refused before anything is sent', async () => {
    await publish(api, { version: 'samples/base@1', repository: 'hf:acme/base', tag: 'v1' });
    const before = await sent();
    const { body } = await publish(api, { version: 'samples/sort@1', repository: 'hf:acme/base', tag: 'v1' });
    expect(body).toMatchObject({ state: 'failed', failure: { code: 'hub_tag_taken' } });
    expect(await sent()).toBe(before);
  });

  test('what is not valid is refused with a pointer', async () => {
    const version = 'samples/base@1';
    const cases: [object, Record<string, string>, number, string, string][] = [
      [{ version, repository: 'acme/base' }, {}, 400, 'invalid_request', '/repository'],
      [{ version, repository: 'hf:../etc' }, {}, 400, 'invalid_request', '/repository'],
      [{ version, repository: 'hf:acme/base', revision: 'a..b' }, {}, 400, 'invalid_request', '/revision'],
      [{ version, repository: 'hf:acme/base', createPr: true, tag: 'v1' }, {}, 400, 'invalid_request', '/tag'],
      [{ version: 'samples/none@1', repository: 'hf:acme/base' }, {}, 404, 'model_not_found', '/version'],
      [{ version, repository: 'hf:acme/base' }, { 'hub-token': '' }, 422, 'hub_token_missing', 'Hub-Token'],
    ];
    for (const [body, headers, status, code, pointer] of cases) {
      const sentHeaders: Record<string, string> = headers['hub-token'] === '' ? {} : { 'hub-token': writeToken };
      const problem = await problemOf(await post(body, sentHeaders));
      expect(problem).toMatchObject({ status, code });
      expect(problem.errors?.map((each) => each.pointer)).toEqual([pointer]);
    }
    expect((await hub.state()).requests).toEqual([]);
  });

  test('a dry run says all and does nothing', async () => {
    const response = await post({ version: 'samples/base@1', repository: 'hf:acme/base', dryRun: true }, {});
    const preview = (await response.json()) as Record<string, unknown>;
    expect(response.status).toBe(200);
    expect(preview).toMatchObject({
      ...{ dryRun: true, repositoryExists: false, visibility: 'public', deletedFiles: [] },
      licence: { mayPublish: true, resultLicence: 'apache-2.0' },
    });
    expect(String(preview['card'])).toContain('license: apache-2.0');
    expect((preview['files'] as { change: string }[]).every(({ change }) => change === 'new')).toBe(true);
    const { repos, requests } = await hub.state();
    expect([repos, requests.filter(({ at }) => !at.startsWith('GET'))]).toEqual([{}, []]);
  });

  test('what a licence forbids, or nobody has approved, is refused before anything is sent', async () => {
    const card = (licence: string): Record<string, Uint8Array> => ({
      'README.md': Buffer.from(`---\nlicense: ${licence}\n---\n`),
    });
    const { readSample } = await import('../support/sample-models.js');
    await api.client.push('team/nd', { ...readSample('base'), ...card('cc-by-nd-4.0') });
    await api.client.push('team/unknown', { ...readSample('base'), 'README.md': Buffer.from('# nothing') });
    for (const [version, code] of [
      ['team/nd@1', 'licence_denied'],
      ['team/unknown@1', 'licence_approval_required'],
    ]) {
      const problem = await problemOf(await post({ version, repository: 'hf:acme/base' }));
      expect(problem).toMatchObject({ status: 422, code });
    }
    expect((await hub.state()).requests).toEqual([]);
  });

  test('cancelled while it sends, it ends soon, commits nothing, and can be tried again', async () => {
    await hub.configure({ faults: [{ match: 'PUT /cdn/part/', skip: 2, times: 100, action: 'hang' }] });
    const id = await submitPublication(api.client, { version: 'samples/base@1', repository: 'hf:acme/base' });
    await until('two parts are there', async () => (await sent()) >= 2, 60);
    expect((await api.client.post(`/v1/publications/${id}/cancel`)).status).toBe(202);
    expect((await endOf(api.client, id)).body).toMatchObject({ state: 'cancelled' });
    expect((await api.client.post(`/v1/publications/${id}/retry`)).body).toMatchObject({ code: 'hub_token_missing' });
    await hub.configure({ faults: [] });
    const again = await api.client.post(`/v1/publications/${id}/retry`, {}, { 'hub-token': writeToken });
    expect(again.status).toBe(202);
    expect((await endOf(api.client, id)).body).toMatchObject({ state: 'succeeded' });
    const late = await api.client.post(`/v1/publications/${id}/cancel`);
    expect(late).toMatchObject({ status: 409, body: { code: 'publication_not_cancellable' } });
  });

  test('a rule publishes each version that gets the alias', async () => {
    const rule = { model: 'samples/base', alias: 'release', repository: 'hf:acme/base', tag: 'v{version}' };
    const made = await api.client.post('/v1/publishing-rules', rule, { 'hub-token': writeToken });
    expect(made.status).toBe(201);
    const twice = await api.client.post('/v1/publishing-rules', rule, { 'hub-token': writeToken });
    expect(twice).toMatchObject({ status: 409, body: { code: 'publishing_rule_exists' } });
    const put = (version: number): Promise<Response> =>
      fetch(`${api.url}/v1/models/samples/base/aliases/release`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json', 'if-match': '*' },
        body: JSON.stringify({ version }),
      });
    const created = await fetch(`${api.url}/v1/models/samples/base/aliases/release`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ version: 1 }),
    });
    expect(created.status).toBe(201);
    // Said again, nothing has changed.
    expect((await put(1)).status).toBe(200);
    const list = (await api.client.get('/v1/publications?limit=200')).body['items'] as Record<string, unknown>[];
    const ours = list.filter(({ ruleId }) => ruleId === made.body['id']);
    expect(ours).toHaveLength(1);
    expect((await endOf(api.client, String(ours[0]?.['id']))).body).toMatchObject({ state: 'succeeded', tag: 'v1' });
    expect(
      (await fetch(`${api.url}/v1/publishing-rules/${String(made.body['id'])}`, { method: 'DELETE' })).status,
    ).toBe(204);
  });

  test('from the command line: a dry run, a publication, and a merge that ends on the Hub', async () => {
    const settings = { AMALGAM_URL: api.url, HF_TOKEN: writeToken };
    const dry = await amalgam(['publish', 'samples/base@1', 'hf:acme/cli', '--dry-run'], { settings });
    expect([dry.status, dry.stdout]).toEqual([0, expect.stringContaining('model.safetensors')]);
    const done = await amalgam(['publish', 'samples/base@1', 'hf:acme/cli', '--wait', '--private'], { settings });
    expect([done.status, done.stdout]).toEqual([0, expect.stringContaining(`${hub.url}/acme/cli`)]);
    expect((await hub.state()).repos['acme/cli']!.visibility).toBe('private');
    const recipe = `${import.meta.dirname}/../support/publishing-recipe.yaml`;
    const submitted = await amalgam(['submit', recipe, 'team/both', '--publish', 'hf:acme/both', '--wait'], {
      settings,
    });
    expect([submitted.status, submitted.stdout]).toEqual([0, expect.stringContaining(`${hub.url}/acme/both`)]);
    await expectWhole(api, hub, 'team/both', 'acme/both');
    // The merge is known: its publication need not wait for anything.
    const known = ['submit', recipe, 'team/both', '--publish', 'hf:acme/again', '--wait'];
    expect((await amalgam(known, { settings })).status).toBe(0);
    await expectWhole(api, hub, 'team/both', 'acme/again');
  });

  test('the token is nowhere: rows, events, answers', async () => {
    await hub.configure({
      tokens: { [canary]: 'write' },
      faults: [{ match: 'PUT /cdn/part/', action: 'status', status: 500 }],
    });
    const id = await submitPublication(api.client, { version: 'samples/base@1', repository: 'hf:acme/base' }, canary);
    const database = api.get(DataSource);
    const during = await dumpDatabase(database);
    const { body, events } = await endOf(api.client, id);
    expect(body).toMatchObject({ state: 'succeeded' });
    for (const text of [during, await dumpDatabase(database), JSON.stringify([body, events])]) {
      expect(text).not.toContain(canary);
      expect(text).not.toContain('X-Amz-Signature');
    }
    const [row] = await database.query<{ sealed_token: unknown }[]>(
      'select sealed_token from publications where id = $1',
      [id],
    );
    expect(row?.sealed_token).toBeNull();
  });
});
