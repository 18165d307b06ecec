import { createHash } from 'node:crypto';
import { expect } from '@jest/globals';
import { until } from './child-server.js';
import type { FakeHub } from './fake-hub.js';
import { writeToken } from './fake-hub.js';
import type { HttpClient } from './http-client.js';

export interface Published {
  id: string;
  body: Record<string, unknown>;
  events: { type: string; data: Record<string, unknown> }[];
}

const ends = ['succeeded', 'failed', 'cancelled'];

/** Asks for a publication. @returns its id */
export async function submitPublication(
  client: HttpClient,
  request: Record<string, unknown>,
  token = writeToken,
): Promise<string> {
  const answer = await client.post('/v1/publications', request, { 'hub-token': token });
  if (answer.status !== 202) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
  return String(answer.body['id']);
}

/** Waits until a publication has ended. */
export async function endOf(client: HttpClient, id: string, seconds = 90): Promise<Published> {
  let body: Record<string, unknown> = {};
  await until(
    `publication ${id} has ended`,
    async () => {
      ({ body } = await client.get(`/v1/publications/${id}`));
      return ends.includes(String(body['state']));
    },
    seconds,
  );
  const list = (await client.get(`/v1/publications/${id}/events`)).body;
  return { id, body, events: list['items'] as Published['events'] };
}

export async function publish(
  { client }: { client: HttpClient },
  request: Record<string, unknown>,
  token?: string,
): Promise<Published> {
  return endOf(client, await submitPublication(client, request, token));
}

/** The repository shows exactly the version: every file with its bytes, no weights beside them. */
export async function expectWhole(
  { client }: { client: HttpClient },
  hub: FakeHub,
  model: string,
  repository: string,
  revision = 'main',
): Promise<void> {
  const version = (await client.get(`/v1/models/${model}/versions/latest`)).body;
  const files = version['files'] as { path: string; sha256: string }[];
  const repo = (await hub.state()).repos[repository];
  const there = repo?.commits[repo.branches[revision] ?? '']?.files ?? {};
  const weights = (paths: string[]): string[] => paths.filter((path) => path.endsWith('.safetensors')).sort();
  expect(weights(Object.keys(there))).toEqual(weights(files.map(({ path }) => path)));
  for (const { path, sha256 } of files) {
    // What licences ask for is added to or stands in the place of the version's own.
    if (['LICENSE', 'NOTICE', 'README.md'].includes(path)) continue;
    const bytes = await hub.read(repository, revision, path);
    expect({ path, sha256: createHash('sha256').update(bytes).digest('hex') }).toEqual({ path, sha256 });
  }
  for (const path of ['LICENSE', 'NOTICE', 'README.md']) expect(Object.keys(there)).toContain(path);
}
