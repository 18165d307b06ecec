import { expect } from '@jest/globals';
import type { Api } from './api.js';
import { type FakeHub, type Fault, type HubRepo, writeToken } from './fake-hub.js';
import { endOf, expectWhole, type Published, submitPublication } from './publishing.js';
import type { Random } from './random.js';

/** Small limits of the stand-in, so that the sample models go in many parts. */
export const smallParts = { multipartAbove: 200_000, chunkBytes: 100_000, regularMaxBytes: 3_000 };

const commit = 'POST /api/models/acme/.*/commit/';
const part = 'PUT /cdn/part/';

/** Every way in which the Hub, or the line to it, fails. Each passes, or looks as if it had failed and has not. */
export const faults: Record<string, Fault> = {
  'the Hub asks to wait when it is first spoken to': {
    ...{ match: 'GET /api/models/acme/[^/]+$', action: 'status', status: 429, headers: { 'retry-after': '1' } },
  },
  'too many requests, in the words of the Hub': {
    match: 'POST /acme/.*/info/lfs/objects/batch',
    ...{ action: 'status', status: 429, headers: { ratelimit: '"api";r=0;t=0' } },
  },
  'making the repository fails': { match: 'POST /api/repos/create', action: 'status', status: 503 },
  'the answer that it was made is lost': { match: 'POST /api/repos/create', action: 'drop-answer' },
  'asking where files go fails': { match: 'POST .*/preupload/', action: 'status', status: 500, times: 2 },
  'the batch is cut off': { match: 'POST .*/objects/batch', action: 'drop' },
  'a part fails': { match: `${part}.*/3$`, action: 'status', status: 500, times: 2 },
  'the line breaks within a part': { match: `${part}.*/2$`, action: 'drop', bytes: 40_000, times: 3 },
  'the answer to a part is lost': { match: `${part}.*/1$`, action: 'drop-answer' },
  'the address of a part has expired': { match: `${part}.*/4$`, action: 'status', status: 403, message: 'expired' },
  'the store has forgotten the upload': { match: `${part}.*/4$`, action: 'status', status: 404 },
  'the line breaks within a whole file': { match: 'PUT /cdn/put/', action: 'drop', bytes: 1_000 },
  'the address of a whole file has expired': { match: 'PUT /cdn/put/', action: 'status', status: 403 },
  'completing fails': { match: 'POST /cdn/complete/', action: 'status', status: 500 },
  'the answer to completing is lost': { match: 'POST /cdn/complete/', action: 'drop-answer' },
  'the commit never arrives': { match: commit, action: 'drop' },
  'the commit is answered with an error of the server': { match: commit, action: 'status', status: 502 },
  'the commit is made and its answer lost': { match: commit, action: 'drop-answer' },
  'somebody else has just committed': { match: commit, action: 'status', status: 412 },
  'the commit meets a conflict': { match: commit, action: 'status', status: 409 },
  'reading the result fails': { match: 'GET .*/tree/', skip: 1, action: 'status', status: 500 },
  'opening the repository fails': { match: 'PUT .*/settings', action: 'status', status: 500 },
  'the answer to opening it is lost': { match: 'PUT .*/settings', action: 'drop-answer' },
  'the answer to the tag is lost': { match: 'POST .*/tag/', action: 'drop-answer' },
};

/** No commit of a repository may show a part of a model: at first nothing is there, then all of it. */
export function expectNeverHalf({ commits }: HubRepo, version: readonly string[]): void {
  for (const { files } of Object.values(commits)) {
    const there = version.filter((path) => path in files).length;
    expect([0, version.length]).toContain(there);
  }
}

/** One publication under a few faults drawn by chance; it must arrive whole, in one commit, whatever strikes. */
export async function publishUnderFaults(api: Api, hub: FakeHub, random: Random, run: number): Promise<Published> {
  const model = random.pick(['base', 'sort']);
  const repository = `acme/run-${run}`;
  const drawn = Array.from({ length: random.integer(1, 4) }, (): Fault => {
    const [, fault] = random.pick(Object.entries(faults));
    return { ...fault, skip: (fault.skip ?? 0) + random.integer(0, 2), times: random.integer(1, 2) };
  });
  const createPr = random.chance(0.25);
  // Objects of an earlier run are there already, now and then; else everything is sent anew.
  const keepsObjects = random.chance(0.3);
  if (!keepsObjects) await hub.reset();
  await hub.configure({ ...smallParts, faults: drawn });
  const request = { version: `samples/${model}@1`, repository: `hf:${repository}`, createPr };
  const id = await submitPublication(api.client, { ...request, ...(!createPr && { tag: 'v1' }) }, writeToken);
  const published = await endOf(api.client, id, 300);
  await hub.configure({ faults: [] });
  expect({ drawn, failure: published.body['failure'], state: published.body['state'] }).toMatchObject({
    ...{ failure: null, state: 'succeeded' },
  });
  await expectWhole(api, hub, `samples/${model}`, repository, createPr ? 'refs/pr/1' : 'main');
  const repo = (await hub.state()).repos[repository]!;
  expect(Object.keys(repo.commits)).toHaveLength(2);
  expect(repo.pullRequests).toEqual(createPr ? [1] : []);
  expectNeverHalf(repo, ['config.json', 'model.safetensors', 'tokenizer.json']);
  return published;
}
