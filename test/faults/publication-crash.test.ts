import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../support/child-server.js';
import { type FakeHub, startFakeHub } from '../support/fake-hub.js';
import { HttpClient } from '../support/http-client.js';
import { endOf, expectWhole, submitPublication } from '../support/publishing.js';
import { partsInFlight } from '../support/publishing-faults.js';
import { type ServiceProcess, startService } from '../support/service-process.js';
import { describeWithShared } from '../support/shared.js';
import { syntheticModel } from '../support/synthetic-model.js';

const chunkBytes = 1_000_000;

describeWithShared('fakehub', 'a publication whose process is killed', (folder) => {
  let hub: FakeHub;
  let directory: string;
  let service: ServiceProcess;
  let client: HttpClient;

  const start = async (): Promise<void> => {
    service = await startService({ AMALGAM_DATA_DIR: directory, AMALGAM_HUB_URL: hub.url });
    client = new HttpClient(service.url);
  };
  const kill = async (): Promise<void> => {
    service.kill('SIGKILL');
    await service.exited;
  };
  /** Requests that the Hub answered well, by what they are. */
  const answered = async (what: RegExp): Promise<string[]> => {
    const { requests } = await hub.state();
    return requests.filter(({ at, status }) => what.test(at) && status === 200).map(({ at }) => at);
  };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'amalgam-publishing-'));
    hub = await startFakeHub(folder);
    await start();
    // Two files of some sixty parts each.
    const card = { 'README.md': Buffer.from('---\nlicense: apache-2.0\n---\n') };
    await client.push('team/large', { ...syntheticModel({ layers: 24, layerBytes: 5_000_000, seed: 1 }), ...card });
    await hub.configure({ chunkBytes, multipartAbove: 2_000_000 });
  }, 120_000);

  afterEach(async () => {
    await kill();
    await hub.stop();
    await rm(directory, { recursive: true, force: true });
  });

  test('sends at most the parts in flight again, and nothing of a finished file', async () => {
    // Slow enough to be caught in the middle.
    await hub.configure({ faults: [{ match: 'PUT /cdn/part/', action: 'delay', ms: 30, times: 100_000 }] });
    const version = (await client.get('/v1/models/team/large/versions/1')).body;
    const weights = (version['files'] as { path: string; bytes: number }[]).filter(({ path }) =>
      path.endsWith('.safetensors'),
    );
    const parts = weights.reduce((sum, { bytes }) => sum + Math.ceil(bytes / chunkBytes), 0);
    expect([weights.length, parts > 100]).toEqual([2, true]);
    const id = await submitPublication(client, { version: 'team/large@1', repository: 'hf:acme/large' });
    const crashes = [10, 45, 90];
    for (const count of crashes) {
      await until(`${count} parts are there`, async () => (await answered(/PUT \/cdn\/part/)).length >= count, 60);
      await kill();
      await start();
    }
    const { body } = await endOf(client, id, 120);
    expect(body).toMatchObject({ state: 'succeeded' });
    await expectWhole({ client }, hub, 'team/large', 'acme/large');
    const sent = await answered(/PUT \/cdn\/part/);
    expect(sent.length).toBeLessThanOrEqual(parts + crashes.length * partsInFlight);
    // The same addresses served throughout: each file was asked about once, or once more when a crash hid its end.
    expect((await answered(/objects\/batch/)).length).toBeLessThanOrEqual(weights.length + crashes.length);
    expect(await answered(/POST \/cdn\/complete/)).toHaveLength(weights.length);
    expect(await answered(/POST .*\/commit\//)).toHaveLength(1);
  }, 300_000);

  test('killed while it commits, it finds its commit', async () => {
    await hub.configure({ faults: [{ match: 'POST .*/commit/', action: 'delay', ms: 1_500 }] });
    const id = await submitPublication(client, { version: 'team/large@1', repository: 'hf:acme/large' });
    await until('the commit is on its way', async () => {
      const { body } = await client.get(`/v1/publications/${id}`);
      return body['state'] === 'committing';
    });
    await until('the Hub has heard of it', async () => {
      return (await hub.state()).requests.some(({ at }) => at.includes('/commit/'));
    });
    await kill();
    await start();
    const { body } = await endOf(client, id, 120);
    const repo = (await hub.state()).repos['acme/large']!;
    expect(body).toMatchObject({ state: 'succeeded', commit: repo.branches['main'] });
    expect(Object.keys(repo.commits)).toHaveLength(2);
  }, 300_000);
});
