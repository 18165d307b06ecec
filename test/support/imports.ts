import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { until } from './child-server.js';
import type { FakeHub, HubRequestRecord } from './fake-hub.js';
import type { HttpClient } from './http-client.js';

export interface Imported {
  id: string;
  body: Record<string, unknown>;
  events: { type: string; data: Record<string, unknown> }[];
}

const ends = ['succeeded', 'failed', 'cancelled'];

/** Asks for an import. @returns its id */
export async function submitImport(client: HttpClient, request: object, token?: string): Promise<string> {
  const answer = await client.post('/v1/imports', request, token === undefined ? {} : { 'hub-token': token });
  if (answer.status !== 202) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
  return String(answer.body['id']);
}

/** Waits until an import has ended. */
export async function endOfImport(client: HttpClient, id: string, seconds = 90): Promise<Imported> {
  let body: Record<string, unknown> = {};
  await until(
    `import ${id} has ended`,
    async () => {
      ({ body } = await client.get(`/v1/imports/${id}`));
      return ends.includes(String(body['state']));
    },
    seconds,
  );
  const list = (await client.get(`/v1/imports/${id}/events`)).body;
  return { id, body, events: list['items'] as Imported['events'] };
}

export async function importModel(client: HttpClient, request: object, token?: string): Promise<Imported> {
  return endOfImport(client, await submitImport(client, request, token));
}

/** Puts files into a repository of the stand-in, as one commit. */
export async function fillRepository(
  hub: FakeHub,
  id: string,
  files: Record<string, Uint8Array | string>,
  options: object = {},
): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'hub-repo-'));
  for (const [path, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), bytes);
  }
  await hub.control({ repos: [{ id, dir, ...options }] });
  rmSync(dir, { recursive: true, force: true });
}

/** Bytes that left the store of large files, which is where the weights are. */
export function bytesOfStore(requests: readonly HubRequestRecord[]): number {
  return requests.filter(({ at }) => at.startsWith('GET /cdn/')).reduce((sum, { bytesOut }) => sum + bytesOut, 0);
}
