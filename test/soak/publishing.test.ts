import { afterAll, beforeAll, jest, test } from '@jest/globals';
import { type Api, startApi } from '../support/api.js';
import { type FakeHub, startFakeHub } from '../support/fake-hub.js';
import { publishUnderFaults } from '../support/publishing-faults.js';
import { Random } from '../support/random.js';
import { pushSamples } from '../support/sample-models.js';
import { describeWithShared } from '../support/shared.js';

jest.setTimeout(3_600_000);

const runs = 200;

describeWithShared('fakehub', 'publishing under faults by chance', (folder) => {
  let hub: FakeHub;
  let api: Api;

  beforeAll(async () => {
    hub = await startFakeHub(folder);
    api = await startApi({ AMALGAM_HUB_URL: hub.url });
    await pushSamples(api.client, ['base', 'sort']);
  });
  afterAll(async () => {
    await api.close();
    await hub.stop();
  });

  test(`${runs} publications arrive whole, in one commit each`, async () => {
    for (let run = 1; run <= runs; run += 1) await publishUnderFaults(api, hub, new Random(1_000 + run), run);
  });
});
