import type { Import } from '../imports/imports.schema.js';
import type { Version } from '../models/models.schema.js';
import type { Publication } from '../publishing/publications.schema.js';
import type { ApiClient } from './api-client.js';
import type { DemoScreen } from './demo-screen.js';
import { followEvents, type StreamedEvent } from './event-stream.js';
import { Failure } from './failure.js';
import { hubTokenHeader } from './publish.js';

const endStates = ['succeeded', 'failed', 'cancelled'];
/** Events that are no state. */
const besideStates = ['file', 'progress', 'wait', 'attempt-failed', 'cancel-requested'];

/** A hub that the demonstration may write to. */
export interface DemoHub {
  url: string;
  token: string;
  /** Whose token it is: what is published goes to this name. */
  user: string;
}

/** Asks the hub whose token it is, before anything else is begun. @throws Failure hub_unreachable, hub_token_refused */
export async function openDemoHub(url: string, token: string): Promise<DemoHub> {
  const base = url.replace(/\/+$/, '');
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`${base}/api/whoami-v2`, { headers, redirect: 'error' }).catch((error: unknown) => {
    const { message } = ((error as Error).cause ?? error) as Error;
    throw new Failure('hub_unreachable', `${base}: ${message}`);
  });
  if (!response.ok) throw new Failure('hub_token_refused', `${base} does not accept HF_TOKEN: ${response.status}`);
  const { name } = (await response.json()) as { name: string };
  return { url: base, token, user: name };
}

/** Publishes a version, privately, and shows how. @returns the repository, `hf:user/name` @throws Failure */
export async function showPublication(
  client: ApiClient,
  screen: DemoScreen,
  hub: DemoHub,
  version: string,
  signal: AbortSignal,
): Promise<string> {
  const repository = `hf:${hub.user}/amalgam-demo`;
  const body = { version, repository, visibility: 'private' };
  const { job, way } = await carryOut(client, screen, hub, { path: '/v1/publications', body }, signal);
  screen.write(`  ${way}: ${screen.bold(job.url ?? repository)}, private\n`);
  return repository;
}

/** Imports what was published, and compares. @throws Failure also when it is not what was published */
export async function showImport(
  client: ApiClient,
  screen: DemoScreen,
  hub: DemoHub,
  { repository, version }: { repository: string; version: string },
  signal: AbortSignal,
): Promise<void> {
  const body = { source: repository, model: 'demo/from-the-hub' };
  const { job, way } = await carryOut(client, screen, hub, { path: '/v1/imports', body }, signal);
  const imported = job.version ?? '';
  if ((await weightsOf(client, imported)) !== (await weightsOf(client, version))) {
    throw new Failure('import_differs', `the weights of ${imported} are not those of ${version}`);
  }
  screen.write(`  ${way}: ${screen.bold(imported)}, the same weights to the last bit\n`);
}

/** What both kinds of work tell, and what only one does. */
type Job = Pick<Publication | Import, 'id' | 'state' | 'version' | 'failure'> & Partial<Pick<Publication, 'url'>>;

/** Asks for long work with the hub and follows it to its end. @returns it, and the states that it went through */
async function carryOut(
  client: ApiClient,
  screen: DemoScreen,
  hub: DemoHub,
  { path, body }: { path: string; body: object },
  signal: AbortSignal,
): Promise<{ job: Job; way: string }> {
  const { id } = await client.json<Job>(path, { method: 'POST', headers: hubTokenHeader(hub.token), body });
  const states: string[] = [];
  const progress = await screen.openProgress();
  const onEvent = ({ type, data: event }: StreamedEvent): void => {
    const { bytesDone, bytesTotal } = (event as { data: Record<string, unknown> }).data;
    if (type === 'progress' && typeof bytesDone === 'number' && typeof bytesTotal === 'number') {
      progress.update(bytesDone, bytesTotal);
    }
    if (!besideStates.includes(type)) states.push(type);
  };
  try {
    await followEvents(client, `${path}/${id}/events`, onEvent, ({ type }) => endStates.includes(type), signal);
  } finally {
    progress.stop();
  }
  const job = await client.json<Job>(`${path}/${id}`);
  if (job.state !== 'succeeded') {
    throw new Failure(job.failure?.code ?? 'cancelled', job.failure?.detail ?? `${path}/${id} is ${job.state}`);
  }
  return { job, way: states.join(' → ') };
}

/** SHA-256 of the weights; the merges of the demonstration have one file of them. */
async function weightsOf(client: ApiClient, reference: string): Promise<string | undefined> {
  const { files } = await client.json<Version>(`/v1/models/${reference.replace('@', '/versions/')}`);
  return files.find(({ path }) => path.endsWith('.safetensors'))?.sha256;
}
