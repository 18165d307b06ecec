import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { filesBelow, formsOf, rowsOf } from '../support/canary.js';
import { freePorts, until } from '../support/child-server.js';
import { describeWith } from '../support/environment.js';
import { type FakeHub, readToken, startFakeHub } from '../support/fake-hub.js';
import { HttpClient } from '../support/http-client.js';
import { endOfImport, fillRepository, importModel, submitImport } from '../support/imports.js';
import { type ProductionHome, startProductionHome } from '../support/production-home.js';
import { endOf, submitPublication } from '../support/publishing.js';
import { smallParts } from '../support/publishing-faults.js';
import { pushSamples, readSample } from '../support/sample-models.js';
import { type ServiceProcess, startService } from '../support/service-process.js';
import { describeWithShared } from '../support/shared.js';

jest.setTimeout(300_000);

/** With characters that base64 and URLs write otherwise. */
const canary = 'hf_canary/8f2c+61d0==';
const withToken = { 'hub-token': canary };

describeWith(['database', 's3'], 'a token of the Hub on the production home', () => {
  describeWithShared('fakehub', 'beside the stand-in', (folder) => {
    let hub: FakeHub;
    let home: ProductionHome;
    let directory: string;
    let service: ServiceProcess;
    let client: HttpClient;
    let redis: Redis;
    let monitor: Redis;
    let start: () => Promise<void>;
    /** All that was ever written, answered or sent, by where. */
    const seen = { logs: '', queue: '', answers: '', rows: '' };

    const stop = async (signal: NodeJS.Signals): Promise<void> => {
      service.kill(signal);
      await service.exited;
      seen.logs += service.log();
    };
    const asked = async (path: string): Promise<Record<string, unknown>> => {
      const { body } = await client.get(path);
      seen.answers += JSON.stringify(body);
      return body;
    };
    const posted = async (path: string, body: object): Promise<Record<string, unknown>> => {
      const answer = await client.post(path, body, withToken);
      seen.answers += JSON.stringify(answer.body);
      return answer.body;
    };

    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'amalgam-canary-'));
      [hub, home] = await Promise.all([startFakeHub(folder), startProductionHome()]);
      await hub.configure({ ...smallParts, tokens: { [canary]: 'write', [readToken]: 'read' } });
      await fillRepository(hub, 'acme/gated', readSample('base'), { gated: 'auto' });
      redis = new Redis(home.redis.url);
      monitor = await redis.monitor();
      monitor.on('monitor', (_time: string, args: string[]) => (seen.queue += `${args.join(' ')}\n`));
      const [port] = (await freePorts(1)) as [number];
      start = async () => {
        service = await startService({
          ...home.settings,
          AMALGAM_DATA_DIR: directory,
          AMALGAM_HUB_URL: hub.url,
          AMALGAM_PORT: String(port),
          AMALGAM_LOG_LEVEL: 'trace',
        });
        client = new HttpClient(service.url);
      };
      await start();
      await pushSamples(client, ['base', 'sort']);
    }, 120_000);
    afterAll(async () => {
      // A monitor is a connection of its own beside the one that it was asked of.
      for (const connection of [monitor, redis]) connection.disconnect();
      await Promise.all([home.stop(), hub.stop()]);
      await rm(directory, { recursive: true, force: true });
    }, 60_000);

    test('is used by imports, publications, rules and triggers, through refusals and a crash', async () => {
      const importing = async (source: string): Promise<unknown> => {
        const id = await submitImport(client, { source, model: 'in/model' }, canary);
        seen.rows += await rowsOf(home.schema);
        const { body } = await endOfImport(client, id);
        return (body['failure'] as { code: string } | null)?.code ?? body['state'];
      };
      expect(await importing('hf:acme/none')).toBe('hub_repository_not_found');
      // A Hub that says the token back, in each of its ways to refuse.
      const words = `What is ${canary}? Authorization: Bearer ${canary}`;
      for (const [status, code] of [
        [401, 'hub_token_refused'],
        [403, 'hub_forbidden'],
        [418, 'hub_refused'],
      ] as const) {
        const fault = { match: 'GET /api/models/acme/gated', action: 'status', status, message: words } as const;
        await hub.configure({ faults: [fault] });
        expect(await importing('hf:acme/gated')).toBe(code);
      }
      await hub.configure({
        faults: [{ match: 'GET /api/models/', action: 'status', status: 500, message: words, times: 2 }],
      });
      expect(await importing('hf:acme/gated')).toBe('succeeded');

      const kept = await fetch(`${service.url}/v1/hub-tokens/in`, {
        method: 'PUT',
        body: JSON.stringify({ token: canary }),
        headers: { 'content-type': 'application/json' },
      });
      seen.answers += await kept.text();
      expect(kept.ok).toBe(true);
      await asked('/v1/hub-tokens');
      const plain = await importModel(client, { source: 'hf:acme/gated', model: 'in/again' });
      expect(plain.body['state']).toBe('succeeded');

      await hub.configure({ faults: [{ match: 'PUT /cdn/part/.*/3$', action: 'hang', times: 100 }] });
      const id = await submitPublication(client, { version: 'samples/sort@1', repository: 'hf:acme/sort' }, canary);
      await until('it is sending', async () => {
        return (await hub.state()).requests.some(({ at }) => at.startsWith('PUT /cdn/part/'));
      });
      seen.rows += await rowsOf(home.schema);
      await stop('SIGKILL');
      await hub.configure({ faults: [] });
      await start();
      expect((await endOf(client, id)).body).toMatchObject({ state: 'succeeded' });

      const rule = { model: 'samples/base', alias: 'release', repository: 'hf:acme/released' };
      expect(await posted('/v1/publishing-rules', rule)).toHaveProperty('id');
      const recipe = `merge_method: linear\nmodels:\n  - { model: samples/base, parameters: { weight: 0.5 } }\n  - { model: $checkpoint, parameters: { weight: 0.5 } }\n`;
      const trigger = { name: 'canary', recipe, watch: 'watched/model', output: 'watched/merged' };
      expect(await posted('/v1/triggers', { ...trigger, publish: 'hf:acme/merged' })).toHaveProperty('id');
      await fetch(`${client.url}/v1/models/samples/base/aliases/release`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: '{"version": 1}',
      });
      await client.push('watched/model', readSample('sort'));
      await until(
        'the rule and the trigger have published',
        async () => {
          const items = (await asked('/v1/publications'))['items'] as { state: string; repository: string }[];
          return items.length === 3 && items.every(({ state }) => state === 'succeeded');
        },
        120,
      );
    });

    test('is in no log, row, job, event, answer or file', async () => {
      for (const path of ['/v1/imports', '/v1/publications', '/v1/publishing-rules', '/v1/triggers', '/v1/merges']) {
        const { items } = (await asked(path)) as { items: { id: string }[] };
        for (const { id } of items) {
          await asked(`${path}/${id}`);
          await asked(`${path}/${id}/events`);
        }
        expect(await posted(path, { nonsense: 1 })).toHaveProperty('code');
      }
      seen.rows += await rowsOf(home.schema);
      await stop('SIGTERM');
      expect(seen.logs.includes('"level":')).toBe(true);
      expect(seen.queue.includes('shard')).toBe(true);
      expect(seen.rows.includes('hub_forbidden')).toBe(true);
      const found = Object.entries({ ...seen, ...(await filesBelow(directory)) }).flatMap(([where, text]) => {
        return formsOf(canary).flatMap((form) => (text.includes(form) ? [`${where}: ${form}`] : []));
      });
      expect(found).toEqual([]);
    });
  });
});
