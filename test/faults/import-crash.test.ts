import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { until } from '../support/child-server.js';
import { type FakeHub, startFakeHub } from '../support/fake-hub.js';
import { HttpClient } from '../support/http-client.js';
import { bytesOfStore, endOfImport, fillRepository, submitImport } from '../support/imports.js';
import { type ServiceProcess, startService } from '../support/service-process.js';
import { describeWithShared } from '../support/shared.js';
import { syntheticModel } from '../support/synthetic-model.js';

jest.setTimeout(180_000);

const token = 'hf_canary_8f2c61';
const weights = syntheticModel({ layers: 45, layerBytes: 4_000_000, seed: 11 });
const shards = Object.keys(weights).filter((path) => path.endsWith('.safetensors'));
const weightBytes = shards.reduce((sum, path) => sum + (weights[path]?.byteLength ?? 0), 0);
const mebibyte = 2 ** 20;

describeWithShared('fakehub', 'an import whose process is killed', (folder) => {
  let hub: FakeHub;
  let directory: string;
  let service: ServiceProcess;
  let client: HttpClient;
  let logs = '';

  const start = async (): Promise<void> => {
    service = await startService({
      AMALGAM_DATA_DIR: directory,
      AMALGAM_HUB_URL: hub.url,
      AMALGAM_LOG_LEVEL: 'trace',
    });
    client = new HttpClient(service.url);
  };
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    service.kill(signal);
    await service.exited;
    logs += service.log();
  };

  beforeAll(async () => {
    hub = await startFakeHub(folder);
    directory = await mkdtemp(join(tmpdir(), 'amalgam-import-'));
    await hub.configure({ tokens: { [token]: 'write' } });
    await fillRepository(hub, 'acme/large', weights, { gated: 'auto' });
    await start();
  }, 90_000);
  afterAll(async () => {
    await stop('SIGTERM');
    await hub.stop();
    await rm(directory, { recursive: true, force: true });
  });

  test('goes on where it was: finished files and stored parts are not fetched again', async () => {
    // The last ranges of the large files do not come, so that the process is caught with some files whole and some not.
    await hub.configure({ faults: [{ match: 'GET /cdn/get', skip: 24, times: 1_000, action: 'hang' }] });
    await hub.control({ forgetRequests: true });
    const id = await submitImport(client, { source: 'hf:acme/large', model: 'in/large' }, token);
    await until(
      'much of it is stored, and no more comes',
      async () => {
        const { body } = await client.get(`/v1/imports/${id}`);
        return (body['progress'] as { bytesDone: number }).bytesDone > 100 * mebibyte;
      },
      60,
    );
    const { body } = await client.get(`/v1/imports/${id}`);
    expect(body['state']).toBe('fetching');
    await stop('SIGKILL');
    const before = bytesOfStore((await hub.state()).requests);
    expect(before).toBeGreaterThan(100 * mebibyte);
    await hub.configure({ faults: [] });
    await hub.control({ forgetRequests: true });
    await start();
    expect((await endOfImport(client, id)).body).toMatchObject({ state: 'succeeded', version: 'in/large@1' });
    const after = bytesOfStore((await hub.state()).requests);
    // Of each of three files: the part that was not full, and the ranges that were ahead of it.
    expect(before + after - weightBytes).toBeLessThan(3 * (16 + 2 * 8) * mebibyte);
    expect(after).toBeLessThan(weightBytes - 50 * mebibyte);
    const { body: version } = await client.get('/v1/models/in/large/versions/1');
    for (const { path, sha256 } of version['files'] as { path: string; sha256: string }[]) {
      expect(sha256).toBe(
        createHash('sha256')
          .update(weights[path] ?? '')
          .digest('hex'),
      );
    }
  });

  test('nothing that was ever written, logged or answered has the token', async () => {
    const answers = [
      await client.text('/v1/imports'),
      ...(await Promise.all(
        ((await client.get('/v1/imports')).body['items'] as { id: string }[]).map(({ id }) =>
          client.text(`/v1/imports/${id}/events`),
        ),
      )),
      await (
        await fetch(`${client.url}/v1/imports`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'hub-token': token },
          body: '{"source": 1}',
        })
      ).text(),
    ];
    expect(answers.join('\n')).not.toContain(token);
    // Sent once more for an import that fails, so that a message could have it.
    const id = await submitImport(client, { source: 'hf:acme/none', model: 'in/none' }, token);
    expect((await endOfImport(client, id)).body).toMatchObject({ state: 'failed' });
    await stop('SIGTERM');
    expect(logs).not.toContain(token);
    const found: string[] = [];
    for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile() && (await readFile(path)).includes(token)) found.push(path);
    }
    expect(found).toEqual([]);
    await start();
  });
});
