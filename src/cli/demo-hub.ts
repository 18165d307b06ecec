import type { Publication } from '../publishing/publications.schema.js';
import type { ApiClient } from './api-client.js';
import type { DemoScreen } from './demo-screen.js';
import { followEvents, type StreamedEvent } from './event-stream.js';
import { Failure } from './failure.js';
import { hubTokenHeader } from './publish.js';

const endStates = ['succeeded', 'failed', 'cancelled'];

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

/** Publishes a version, privately, and shows how. @returns the repository, `hf:user/name` */
export async function showPublication(
  client: ApiClient,
  screen: DemoScreen,
  hub: DemoHub,
  version: string,
  signal: AbortSignal,
): Promise<string> {
  const repository = `hf:${hub.user}/amalgam-demo`;
  const headers = hubTokenHeader(hub.token);
  const body = { version, repository, visibility: 'private' };
  const { id } = await client.json<Publication>('/v1/publications', { method: 'POST', headers, body });
  const states: string[] = [];
  const progress = await screen.openProgress();
  const onEvent = ({ type, data: event }: StreamedEvent): void => {
    const { bytesDone, bytesTotal } = (event as { data: Record<string, unknown> }).data;
    if (type === 'progress' && typeof bytesDone === 'number' && typeof bytesTotal === 'number') {
      progress.update(bytesDone, bytesTotal);
    }
    if (/^(queued|planning|uploading|committing|settling|succeeded)$/.test(type)) states.push(type);
  };
  try {
    const path = `/v1/publications/${id}/events`;
    await followEvents(client, path, onEvent, ({ type }) => endStates.includes(type), signal);
  } finally {
    progress.stop();
  }
  const publication = await client.json<Publication>(`/v1/publications/${id}`);
  const { state, failure, url } = publication;
  if (state !== 'succeeded') {
    throw new Failure('publication_failed', `${repository}: ${failure?.detail ?? `the publication is ${state}`}`);
  }
  screen.write(`  ${states.join(' → ')}: ${screen.bold(url ?? repository)}, private\n`);
  return repository;
}
