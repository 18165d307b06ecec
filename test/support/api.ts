import 'reflect-metadata';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { serve } from '../../src/bootstrap.js';
import { loadConfig } from '../../src/config.js';
import { OBJECT_STORE } from '../../src/platform/tokens.js';
import type { ObjectStore } from '../../src/storage/object-store.js';
import { noHub } from './environment.js';
import { placeFreshDatabase } from './fresh-database.js';
import { HttpClient } from './http-client.js';

/** The whole service on the embedded home, in this process: a test may look behind its API. */
export interface Api {
  url: string;
  client: HttpClient;
  app: NestFastifyApplication;
  store: ObjectStore;
  get<T>(service: Type<T>): T;
  /** Keys of everything in the object store. */
  storedKeys(): Promise<string[]>;
  close(): Promise<void>;
}

/** @param settings AMALGAM_... variables; by default there are no samples and no keys */
export async function startApi(settings: Record<string, string> = {}): Promise<Api> {
  const directory = await mkdtemp(join(tmpdir(), 'amalgam-api-'));
  const config = loadConfig({
    AMALGAM_DATA_DIR: directory,
    AMALGAM_PORT: '0',
    AMALGAM_SAMPLES: 'false',
    AMALGAM_LOG_LEVEL: 'error',
    ...noHub,
    ...settings,
  });
  await placeFreshDatabase(directory);
  const { url, app, close } = await serve(config);
  const store = app.get<ObjectStore>(OBJECT_STORE);
  return {
    url,
    app,
    store,
    client: new HttpClient(url),
    get: (service) => app.get(service),
    async storedKeys() {
      const keys: string[] = [];
      for await (const { key } of store.list('')) keys.push(key);
      return keys;
    },
    async close() {
      await close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export interface Problem {
  status: number;
  code: string;
  detail: string;
  errors?: { pointer: string; detail: string; code: string }[];
  [member: string]: unknown;
}

/** The problem that an answer is. @throws Error when it is none, or lacks what every problem has */
export async function problemOf(response: Response): Promise<Problem> {
  const text = await response.text();
  const type = response.headers.get('content-type') ?? '';
  if (!type.startsWith('application/problem+json')) throw new Error(`${response.status} ${type}: ${text}`);
  const problem = JSON.parse(text) as Problem;
  const { code } = problem;
  const missing = ['type', 'title', 'status', 'detail', 'instance', 'code', 'requestId'].filter(
    (name) => !(name in problem),
  );
  if (missing.length > 0 || problem.status !== response.status || problem['type'] !== `urn:amalgam:problem:${code}`) {
    throw new Error(`not a problem of ours (${missing.join(', ')}): ${text}`);
  }
  return problem;
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Sends a file to an upload; `headers` may replace what an honest client says. */
export function putFile(
  url: string,
  upload: string,
  path: string,
  bytes: Uint8Array,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${url}/v1/uploads/${upload}/files/${path}`, {
    method: 'PUT',
    headers: { 'x-content-sha256': sha256(bytes), ...headers },
    body: new Uint8Array(bytes),
  });
}
