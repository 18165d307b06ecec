import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { until } from '../support/child-server.js';
import { describeWith } from '../support/environment.js';
import { HttpClient } from '../support/http-client.js';
import { endOfImport, submitImport } from '../support/imports.js';
import { S3Folder, sourceOf } from '../support/s3-folder.js';
import { type SeaweedFs, startSeaweedFs } from '../support/seaweedfs.js';
import { type ServiceProcess, startService } from '../support/service-process.js';
import { syntheticModel } from '../support/synthetic-model.js';
import { TcpProxy } from '../support/tcp-proxy.js';

jest.setTimeout(180_000);

const mebibyte = 2 ** 20;
const weights = syntheticModel({ layers: 30, layerBytes: 4_000_000, seed: 11 });
const shards = Object.keys(weights).filter((path) => path.endsWith('.safetensors'));
const weightBytes = shards.reduce((sum, path) => sum + (weights[path]?.byteLength ?? 0), 0);

describeWith(['s3'], 'an import from a bucket whose process is killed', () => {
  let server: SeaweedFs;
  let folder: S3Folder;
  let line: TcpProxy;
  let directory: string;
  let service: ServiceProcess;
  let client: HttpClient;

  /** @param heldAfter bytes after which one connection to the bucket falls silent */
  const start = async (heldAfter: number): Promise<void> => {
    line = await TcpProxy.start(server.config.url, { direction: 'down', afterBytes: heldAfter, action: 'hold' });
    const source = { ...sourceOf(server.config, { namespaces: ['in'] }), url: line.url };
    service = await startService({ AMALGAM_DATA_DIR: directory, AMALGAM_S3_SOURCES: JSON.stringify([source]) });
    client = new HttpClient(service.url);
  };
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    service.kill(signal);
    await service.exited;
    await line.close();
  };
  const interrupt = async (request: object): Promise<{ id: string; passed: number }> => {
    const id = await submitImport(client, request);
    await until(
      'one file is whole and another one is not, because its line is silent',
      async () => {
        const { items } = (await client.get(`/v1/imports/${id}/events`)).body;
        const whole = (items as { type: string; data: { path?: string } }[]).filter(
          ({ type, data }) => type === 'file' && shards.includes(data.path ?? ''),
        );
        return line.hasHappened && whole.length === shards.length - 1;
      },
      60,
    );
    const { body } = await client.get(`/v1/imports/${id}`);
    expect(body['state']).toBe('fetching');
    const passed = line.passed.down;
    await stop('SIGKILL');
    return { id, passed };
  };

  beforeAll(async () => {
    server = await startSeaweedFs('models');
    folder = new S3Folder(server.config);
  }, 90_000);
  afterAll(() => server.stop());
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'amalgam-s3-import-'));
    await folder.put('large', weights);
    await start(40 * mebibyte);
  }, 60_000);
  afterEach(async () => {
    await stop('SIGTERM');
    await rm(directory, { recursive: true, force: true });
  }, 60_000);

  const expectWhole = async (): Promise<void> => {
    const { body } = await client.get('/v1/models/in/large/versions/1');
    for (const { path, sha256 } of body['files'] as { path: string; sha256: string }[]) {
      const bytes = weights[path] ?? '';
      expect([path, sha256]).toEqual([path, createHash('sha256').update(bytes).digest('hex')]);
    }
  };

  test('a copy goes on where it was', async () => {
    const { id, passed } = await interrupt({ source: 's3://models/large', model: 'in/large' });
    await start(Infinity);
    expect((await endOfImport(client, id)).body).toMatchObject({ state: 'succeeded', version: 'in/large@1' });
    // The part of one file that was not full, and the ranges that were ahead of it; headers and listings.
    expect(passed + line.passed.down - weightBytes).toBeLessThan((16 + 3 * 8 + 2) * mebibyte);
    await expectWhole();
  });

  test('a reference reads only the file again that it was at', async () => {
    const { id } = await interrupt({ source: 's3://models/large', model: 'in/large', mode: 'reference' });
    await start(Infinity);
    expect((await endOfImport(client, id)).body).toMatchObject({ state: 'succeeded', version: 'in/large@1' });
    expect(line.passed.down).toBeLessThan(Math.max(...shards.map((path) => weights[path]?.byteLength ?? 0)) + mebibyte);
    await expectWhole();
  });

  test('an object that was replaced meanwhile fails it: nothing of two objects becomes a version', async () => {
    const { id } = await interrupt({ source: 's3://models/large', model: 'in/large' });
    const others = syntheticModel({ layers: 30, layerBytes: 4_000_000, seed: 12 });
    await folder.put('large', Object.fromEntries(shards.map((path) => [path, others[path] ?? ''])));
    await start(Infinity);
    const { body } = await endOfImport(client, id);
    expect(body).toMatchObject({ state: 'failed', version: null, failure: { code: 's3_source_changed' } });
  });
});
