import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type Api, startApi } from '../support/api.js';
import { describeWith } from '../support/environment.js';
import { type FakeHub, type HubRepo, startFakeHub } from '../support/fake-hub.js';
import { importModel } from '../support/imports.js';
import { expectWhole, publish } from '../support/publishing.js';
import { S3Folder, sourceOf } from '../support/s3-folder.js';
import { type SeaweedFs, startSeaweedFs } from '../support/seaweedfs.js';
import { describeWithShared } from '../support/shared.js';
import { syntheticModel } from '../support/synthetic-model.js';

jest.setTimeout(120_000);

const model = (seed: number) => ({
  ...syntheticModel({ layers: 4, layerBytes: 2_000_000, seed }),
  'README.md': `---\nlicense: apache-2.0\n---\n# Model ${seed}\n`,
  LICENSE: 'Apache License, Version 2.0',
});

describeWithShared('fakehub', 'what is published of models from a bucket', (hubFolder) => {
  describeWith(['s3'], 'that they are in', () => {
    let server: SeaweedFs;
    let hub: FakeHub;
    let api: Api;
    beforeAll(async () => {
      server = await startSeaweedFs('secret-bucket');
      hub = await startFakeHub(hubFolder);
      const sources = [sourceOf(server.config, { namespaces: ['in'] })];
      api = await startApi({ AMALGAM_S3_SOURCES: JSON.stringify(sources), AMALGAM_HUB_URL: hub.url });
      const folder = new S3Folder(server.config);
      for (const [name, seed] of [
        ['one', 1],
        ['two', 2],
      ] as const) {
        await folder.put(`secret-place/${name}`, model(seed));
        const source = `s3://secret-bucket/secret-place/${name}`;
        const { body } = await importModel(api.client, { source, model: `in/${name}`, mode: 'reference' });
        expect(body).toMatchObject({ state: 'succeeded' });
      }
      const models = ['one', 'two'].map((name) => ({ model: `in/${name}`, parameters: { weight: 0.5 } }));
      const request = { recipe: { merge_method: 'linear', models }, output: 'out/merged' };
      await api.client.reach(String((await api.client.post('/v1/merges', request)).body['id']), ['succeeded'], 90);
    }, 180_000);
    afterAll(async () => {
      await api.close();
      await hub.stop();
      await server.stop();
    }, 30_000);

    test.each(['in/one', 'out/merged'])('%s is whole on the Hub, and nothing there says where it was', async (name) => {
      const repository = `acme/${name.replace('/', '-')}`;
      const { body } = await publish(api, { version: `${name}@1`, repository: `hf:${repository}` });
      expect(body).toMatchObject({ state: 'succeeded' });
      await expectWhole(api, hub, name, repository);
      const { repos } = await hub.state();
      const { commits = {}, branches = {} }: Partial<HubRepo> = repos[repository] ?? {};
      const paths = Object.keys(commits[branches['main'] ?? '']?.files ?? {});
      expect(paths).toContain('README.md');
      for (const path of paths) {
        const bytes = await hub.read(repository, 'main', path);
        expect([path, /secret-(?:bucket|place)|s3:/.test(bytes.toString('latin1'))]).toEqual([path, false]);
      }
      const titles = Object.values(commits).map(({ title }) => title);
      expect(titles.join('\n')).not.toContain('secret');
    });
  });
});
