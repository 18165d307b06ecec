import { expect } from '@jest/globals';
import { type FakeHub, type Fault, type HubRepo, type HubRequestRecord, writeToken } from './fake-hub.js';
import { crashByChance, drawFaults, type FaultyHome } from './fault-runs.js';
import { endOf, expectWhole, type Published, submitPublication } from './publishing.js';
import type { Random } from './random.js';

/** What `partsInFlight` in src/publishing/uploader.service.ts is: no more may be sent twice after a crash. */
export const partsInFlight = 4;

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

interface Place {
  renamed?: boolean;
  gated?: 'manual';
  revision?: string;
  createPr?: boolean;
}

/** Where a publication goes: a repository that is to be made, is renamed, is gated; a branch; a pull request. */
const places: Place[] = [{}, {}, { renamed: true }, { gated: 'manual' }, { revision: 'trial' }, { createPr: true }];

/**
 * One publication under a few faults drawn by chance, now and then with a crash; it must arrive whole, in one commit,
 * whatever strikes, and nothing that has arrived is sent again but for the parts in flight.
 */
export async function publishUnderFaults(home: FaultyHome, random: Random, run: number): Promise<Published> {
  const { hub, client } = home;
  const model = random.pick(['base', 'sort']);
  const { renamed, ...place } = random.pick(places);
  const drawn = drawFaults(random, faults);
  // Objects of an earlier run are there already, now and then; else everything is sent anew.
  if (!random.chance(0.3)) await hub.reset();
  const [asked, repository] = renamed ? [`acme/old-${run}`, `acme/run-${run}`] : [`acme/run-${run}`, `acme/run-${run}`];
  if (renamed) await rename(hub, asked, repository);
  await hub.control({ forgetRequests: true, config: { ...smallParts, faults: drawn } });
  const request = { version: `samples/${model}@1`, repository: `hf:${asked}`, ...place };
  const id = await submitPublication(client, { ...request, ...(!place.createPr && { tag: 'v1' }) });
  const crashes = await crashByChance(home, random, async () => {
    return ['succeeded', 'failed'].includes(String((await client.get(`/v1/publications/${id}`)).body['state']));
  });
  const published = await endOf(client, id, 300);
  await hub.configure({ faults: [] });
  const { state, failure } = published.body;
  const context = { run, drawn, crashes };
  expect({ ...context, failure, state }).toEqual({ ...context, failure: null, state: 'succeeded' });
  await expectWhole(home, hub, `samples/${model}`, repository, place.createPr ? 'refs/pr/1' : place.revision);
  const { repos, requests } = await hub.state();
  const repo = repos[repository]!;
  // Beside those that the Hub itself made of it.
  const commits = Object.values(repo.commits).filter(({ title }) => title.startsWith('Publish '));
  expect({ ...context, commits }).toMatchObject({ ...context, commits: [{}] });
  expect(repo.pullRequests).toEqual(place.createPr ? [1] : []);
  expectNeverHalf(repo, ['config.json', 'model.safetensors', 'tokenizer.json']);
  expectNothingSentAgain(requests, crashes);
  return published;
}

async function rename(hub: FakeHub, from: string, to: string): Promise<void> {
  await hub.control({ repos: [{ id: from }] });
  const moved = await fetch(`${hub.url}/api/repos/move`, {
    method: 'POST',
    headers: { authorization: `Bearer ${writeToken}` },
    body: JSON.stringify({ fromRepo: from, toRepo: to, type: 'model' }),
  });
  expect(moved.status).toBe(200);
}

/** To one address a part goes once, but for those in flight at a crash; and nothing after the Hub has put the file together. */
function expectNothingSentAgain(requests: readonly HubRequestRecord[], crashes: number): void {
  const arrived = requests.filter(({ at, status }) => /^(?:PUT|POST) \/cdn\//.test(at) && status === 200);
  const parts = arrived.filter(({ at }) => at.startsWith('PUT')).map(({ at }) => at);
  expect(parts.length - new Set(parts).size).toBeLessThanOrEqual(crashes * partsInFlight);
  for (const { at: completed } of arrived.filter(({ at }) => at.startsWith('POST /cdn/complete/'))) {
    const upload = completed.split('/').at(-1);
    const end = arrived.findIndex(({ at }) => at === completed);
    expect(arrived.slice(end + 1).filter(({ at }) => at.startsWith(`PUT /cdn/part/${upload}/`))).toEqual([]);
  }
}
