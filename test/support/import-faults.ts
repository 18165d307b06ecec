import { createHash } from 'node:crypto';
import { expect } from '@jest/globals';
import { type FakeHub, type Fault, type HubRequestRecord, writeToken } from './fake-hub.js';
import { crashByChance, drawFaults, type FaultyHome } from './fault-runs.js';
import type { HttpClient } from './http-client.js';
import { endOfImport, fillRepository, type Imported, submitImport } from './imports.js';
import type { Random } from './random.js';
import { syntheticModel } from './synthetic-model.js';

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** Four files of weights, each of a whole range and a rest. */
const weights = syntheticModel({ layers: 12, layerBytes: 3_000_000, shardBytes: 9_500_000, seed: 21 });
const model: Record<string, Uint8Array | string> = {
  ...weights,
  'README.md': '---\nlicense: apache-2.0\n---\n# A model\n',
  'tokenizer.json': '{}',
};
const lastShard = Object.keys(weights)
  .filter((path) => path.endsWith('.safetensors'))
  .sort()
  .at(-1)!;

/** What an import of `fillForImports`'s repositories must bring: SHA-256 by path. */
export const importedFiles = Object.fromEntries(Object.entries(model).map(([path, bytes]) => [path, sha256(bytes)]));

const api = 'GET /api/models/acme/';
const resolve = 'GET /acme/.*/resolve/.*/model-';
const store = 'GET /cdn/get/';

/** Every way in which the Hub, or the line to it, fails while somebody reads. Each passes. */
export const readingFaults: Record<string, Fault> = {
  'the Hub asks to wait when it is first spoken to': {
    ...{ match: `${api}[^/]+$`, action: 'status', status: 429, headers: { 'retry-after': '1' } },
  },
  'too many requests, in the words of the Hub': {
    ...{ match: resolve, action: 'status', status: 429, headers: { ratelimit: '"resolvers";r=0;t=0' } },
  },
  'the answer of what there is gets lost': { match: `${api}[^/]+$`, action: 'drop-answer' },
  'naming the commit fails': { match: `${api}.*/revision/`, action: 'status', status: 500, times: 2 },
  'listing the files fails': { match: `${api}.*/tree/`, action: 'status', status: 502 },
  'the line breaks while files are listed': { match: `${api}.*/tree/`, action: 'drop' },
  'saying where a file is fails': { match: resolve, action: 'status', status: 503, times: 2 },
  'the answer of where a file is gets lost': { match: resolve, action: 'drop-answer' },
  'the store fails within a file': { match: store, skip: 9, action: 'status', status: 500, times: 2 },
  'a range is cut off': { match: store, skip: 7, action: 'cut', bytes: 1_500_000, times: 2 },
  'a range is cut off before its first byte': { match: store, skip: 8, action: 'cut', bytes: 0 },
  'a header is cut off': { match: store, action: 'cut', bytes: 3 },
  'the line to the store breaks': { match: store, skip: 6, action: 'drop', times: 2 },
  'the address of a file has expired': { match: store, skip: 11, action: 'status', status: 403, message: 'expired' },
  'the store has forgotten an address': { match: store, skip: 10, action: 'status', status: 404 },
  'a range is slow': { match: store, skip: 5, action: 'delay', ms: 700, times: 3 },
};

/** Whatever passes not: the import fails, and leaves no version. By the code that it fails with. */
export const finalFaults: Record<string, Fault> = {
  hub_forbidden: { match: resolve, skip: 5, times: 1_000, action: 'status', status: 403 },
  hub_repository_not_found: { match: resolve, skip: 5, times: 1_000, action: 'status', status: 404 },
  hub_token_refused: { match: `${api}.*/tree/`, times: 1_000, action: 'status', status: 401 },
};

/** The same model as it may lie on the Hub: for all, gated, private, renamed. */
export const importSources = ['hf:acme/open', 'hf:acme/gated', 'hf:acme/private', 'hf:acme/old-name'];

export async function fillForImports(hub: FakeHub): Promise<void> {
  await fillRepository(hub, 'acme/open', model);
  await fillRepository(hub, 'acme/gated', model, { gated: 'auto' });
  await fillRepository(hub, 'acme/private', model, { visibility: 'private' });
  await fillRepository(hub, 'acme/old-name', model);
  const moved = await fetch(`${hub.url}/api/repos/move`, {
    method: 'POST',
    headers: { authorization: `Bearer ${writeToken}` },
    body: JSON.stringify({ fromRepo: 'acme/old-name', toRepo: 'acme/new-name', type: 'model' }),
  });
  expect(moved.status).toBe(200);
}

/** The model's one version has exactly the files of the Hub, byte for byte. */
export async function expectImported(client: HttpClient, name: string): Promise<void> {
  const { items } = (await client.get(`/v1/models/${name}/versions`)).body;
  expect(items).toHaveLength(1);
  const { body } = await client.get(`/v1/models/${name}/versions/1`);
  const files = body['files'] as { path: string; sha256: string }[];
  expect(Object.fromEntries(files.map((file) => [file.path, file.sha256]))).toEqual(importedFiles);
  for (const { path } of files) {
    const bytes = await client.bytes(`/v1/models/${name}/versions/1/files/${path}`);
    expect({ path, sha256: sha256(bytes) }).toEqual({ path, sha256: importedFiles[path] });
  }
}

async function expectNothing(client: HttpClient, name: string): Promise<void> {
  const { body } = await client.get(`/v1/models/${name}/versions`);
  expect(body['items'] ?? []).toEqual([]);
}

/**
 * One import under a few faults drawn by chance, now and then with a crash, a refusal or wrong bytes; it ends with a whole
 * version or with none, and no file that was whole before a crash is fetched again.
 */
export async function importUnderFaults(home: FaultyHome, random: Random, run: number): Promise<Imported> {
  const { hub, client } = home;
  const source = random.pick(importSources);
  const name = `runs/import-${run}`;
  const [code, final] = random.chance(0.1) ? random.pick(Object.entries(finalFaults)) : [undefined, undefined];
  const isForged = final === undefined && random.chance(0.1);
  const drawn = [...(final ? [final] : []), ...drawFaults(random, readingFaults)];
  const damage = (): Promise<void> => hub.corrupt(importedFiles[lastShard]!, weights[lastShard]!.byteLength - 1);
  await hub.control({ forgetRequests: true, config: { faults: drawn } });
  if (isForged) await damage();

  const id = await submitImport(client, { source, model: name }, writeToken);
  const fetchedBefore: { path: string; request: number }[] = [];
  const crashes = await crashByChance(
    home,
    random,
    async () => ['succeeded', 'failed'].includes(String((await client.get(`/v1/imports/${id}`)).body['state'])),
    async () => {
      const { items } = (await client.get(`/v1/imports/${id}/events`)).body;
      const request = (await hub.state()).requests.length;
      for (const { type, data } of items as Imported['events']) {
        if (type === 'file') fetchedBefore.push({ path: String(data['path']), request });
      }
    },
  );
  const imported = await endOfImport(client, id, 300);
  const { requests } = await hub.state();
  for (const { path, request } of fetchedBefore) {
    const isOfFile = ({ at }: HubRequestRecord): boolean =>
      at === `${store}${importedFiles[path]}` || (at.includes('/resolve/') && at.endsWith(`/${path}`));
    const again = requests.slice(request).filter(isOfFile);
    expect({ path, again }).toEqual({ path, again: [] });
  }
  await hub.configure({ faults: [] });
  if (isForged) await damage();
  const wanted = isForged ? 'digest_mismatch' : code;
  const { state, failure } = imported.body;
  const context = { run, drawn, crashes };
  if (wanted === undefined) {
    expect({ ...context, state, failure }).toEqual({ ...context, state: 'succeeded', failure: null });
  } else if (state === 'failed') {
    expect({ ...context, failure }).toMatchObject({ ...context, failure: { code: wanted } });
    await expectNothing(client, name);
    const retried = await client.post(`/v1/imports/${id}/retry`, {}, { 'hub-token': writeToken });
    expect(retried.status).toBe(202);
    expect((await endOfImport(client, id)).body).toMatchObject({ state: 'succeeded' });
  } else {
    // The final fault was never met; wrong bytes always are.
    expect({ ...context, isForged }).toEqual({ ...context, isForged: false });
  }
  await expectImported(client, name);
  return imported;
}
