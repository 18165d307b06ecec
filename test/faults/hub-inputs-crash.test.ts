import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { until } from '../support/child-server.js';
import { type Fault, type FakeHub, startFakeHub } from '../support/fake-hub.js';
import { HttpClient } from '../support/http-client.js';
import { fillRepository } from '../support/imports.js';
import { readSample } from '../support/sample-models.js';
import { type ServiceProcess, startService } from '../support/service-process.js';
import { describeWithShared } from '../support/shared.js';

jest.setTimeout(180_000);

const token = 'hf_canary_4b1d70';
const stages = `
name: early
merge_method: linear
models: [{ model: 'hf:acme/sort' }, { model: 'hf:acme/base' }]
parameters: { weight: 0.5 }
---
merge_method: slerp
base_model: early
models: [{ model: 'hf:acme/reverse' }]
parameters: { t: 0.4 }
`;

describeWithShared('fakehub', 'a merge of models of the Hub whose process is killed', (folder) => {
  let hub: FakeHub;
  let directory: string;
  let service: ServiceProcess;
  let client: HttpClient;
  let logs = '';

  const start = async (): Promise<void> => {
    const settings = { AMALGAM_HUB_URL: hub.url, AMALGAM_LOG_LEVEL: 'trace' };
    service = await startService({ AMALGAM_DATA_DIR: directory, ...settings });
    client = new HttpClient(service.url);
  };
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    service.kill(signal);
    await service.exited;
    logs += service.log();
  };
  const stateOf = async (id: string): Promise<unknown> => (await client.get(`/v1/merges/${id}`)).body['state'];

  beforeAll(async () => {
    hub = await startFakeHub(folder);
    directory = await mkdtemp(join(tmpdir(), 'amalgam-hub-inputs-'));
    await hub.configure({ tokens: { [token]: 'write' } });
    for (const name of ['base', 'sort', 'reverse']) {
      await fillRepository(hub, `acme/${name}`, readSample(name), { gated: 'auto' });
    }
    await start();
  }, 90_000);
  afterAll(async () => {
    await stop('SIGTERM');
    await hub.stop();
    await rm(directory, { recursive: true, force: true });
  });

  test.each<[string, Fault]>([
    ['planning', { match: 'GET /acme/base/resolve/', times: 1_000, action: 'hang' }],
    ['fetching', { match: 'GET /cdn/get', skip: 6, times: 1_000, action: 'hang' }],
  ])('in %s ends all the same, with one version', async (state, fault) => {
    const output = `team/${state}`;
    await hub.configure({ faults: [fault] });
    const submitted = await client.post('/v1/merges', { recipe: stages, output }, { 'hub-token': token });
    expect(submitted.status).toBe(202);
    const id = String(submitted.body['id']);
    await until(`it is ${state}`, async () => (await stateOf(id)) === state, 60);
    await stop('SIGKILL');
    await hub.configure({ faults: [] });
    await start();
    await until(
      'it has ended',
      async () => !['queued', 'planning', 'fetching', 'running', 'finalizing'].includes(String(await stateOf(id))),
      120,
    );
    const { body } = await client.get(`/v1/merges/${id}`);
    expect(body).toMatchObject({ state: 'succeeded', version: `${output}@1`, failure: null });
    const { items } = (await client.get(`/v1/models/${output}/versions`)).body as { items: unknown[] };
    expect(items).toHaveLength(1);
  });

  test('its token is in no answer and no log', async () => {
    const lists = ['/v1/merges', '/v1/imports'].map((path) => client.get(path));
    expect(JSON.stringify(await Promise.all(lists))).not.toContain(token);
    expect(logs + service.log()).not.toContain(token);
  });
});
