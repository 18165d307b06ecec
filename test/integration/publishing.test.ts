import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { type Api, startApi } from '../support/api.js';
import { type FakeHub, startFakeHub, writeToken } from '../support/fake-hub.js';
import { publish, expectWhole } from '../support/publishing.js';
import { pushSamples } from '../support/sample-models.js';
import { describeWithShared } from '../support/shared.js';

// Long enough for a machine that is busy with other things; the tests wait for states.
jest.setTimeout(120_000);

describeWithShared('fakehub', 'publishing', (folder) => {
  let hub: FakeHub;
  let api: Api;

  beforeAll(async () => {
    hub = await startFakeHub(folder);
    api = await startApi({ AMALGAM_HUB_URL: hub.url });
    await pushSamples(api.client, ['base', 'sort']);
  }, 60_000);
  afterAll(async () => {
    await api.close();
    await hub.stop();
  });
  beforeEach(() => hub.control({ reset: true }));

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
  });
});

void writeToken;
