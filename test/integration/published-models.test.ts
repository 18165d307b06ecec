import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Api, startApi } from '../support/api.js';
import { describeWith } from '../support/environment.js';
import { type FakeHub, startFakeHub, writeToken } from '../support/fake-hub.js';
import { Oracle } from '../support/oracle.js';
import { endOf, publish } from '../support/publishing.js';
import { smallParts } from '../support/publishing-faults.js';
import { pushSamples } from '../support/sample-models.js';
import { describeWithShared } from '../support/shared.js';

jest.setTimeout(300_000);

interface Downloaded {
  files: string[];
  parameters: number;
  missing: string[];
  unexpected: string[];
  generated: number;
  card: Record<string, unknown>;
}

describeWithShared('fakehub', 'what was published', (folder) => {
  describeWith(['python'], 'read by huggingface_hub and transformers', () => {
    let hub: FakeHub;
    let api: Api;
    let oracle: Oracle;
    let home = '';
    const download = (repository: string): Promise<Downloaded> => oracle.ask({ repository, revision: 'main' });

    beforeAll(async () => {
      hub = await startFakeHub(folder);
      await hub.configure(smallParts);
      home = mkdtempSync(join(tmpdir(), 'hf-home-'));
      api = await startApi({ AMALGAM_HUB_URL: hub.url });
      await pushSamples(api.client, ['base', 'sort', 'reverse']);
      oracle = await Oracle.start('hub_check.py', {
        ...{ HF_ENDPOINT: hub.url, HF_HOME: home, HF_HUB_OFFLINE: '0' },
        ...{ HF_HUB_DISABLE_XET: '1', HF_HUB_DISABLE_UPDATE_CHECK: '1', HF_HUB_DISABLE_TELEMETRY: '1' },
      });
    });
    afterAll(async () => {
      await oracle.close();
      await api.close();
      await hub.stop();
      rmSync(home, { recursive: true, force: true });
    });

    test('a version that was pushed', async () => {
      await publish(api, { version: 'samples/base@1', repository: 'hf:acme/base' });
      const found = await download('acme/base');
      expect(found).toMatchObject({ parameters: 449_376, missing: [], unexpected: [], generated: 8 });
      expect(found.card).toMatchObject({ license: 'apache-2.0' });
    });

    test('a merge in several files, published when it had ended', async () => {
      const recipe = {
        merge_method: 'ties',
        base_model: 'samples/base',
        models: ['sort', 'reverse'].map((name) => ({
          model: `samples/${name}`,
          parameters: { weight: 0.5, density: 0.5 },
        })),
      };
      const request = { recipe, output: 'team/merged', shardBytes: 300_000, publish: 'hf:acme/merged' };
      const merge = await api.client.post('/v1/merges', request, { 'hub-token': writeToken });
      expect(merge.status).toBe(202);
      await api.client.reach(String(merge.body['id']), ['succeeded']);
      const { items } = (await api.client.get(`/v1/publications?merge=${String(merge.body['id'])}`)).body;
      const [{ id }] = items as [{ id: string }];
      expect((await endOf(api.client, id)).body).toMatchObject({ state: 'succeeded', version: 'team/merged@1' });
      const found = await download('acme/merged');
      expect(found).toMatchObject({ parameters: 449_376, missing: [], unexpected: [], generated: 8 });
      expect(found.files.filter((path) => path.endsWith('.safetensors')).length).toBeGreaterThan(1);
      expect(found.card).toMatchObject({
        ...{ base_model_relation: 'merge', library_name: 'transformers', license: 'apache-2.0' },
        tags: expect.arrayContaining(['merge', 'amalgam']) as unknown,
      });
    });
  });
});
