import { randomUUID } from 'node:crypto';
import type { Publication, PublicationPreview } from '../publishing/publications.schema.js';
import type { ApiClient } from './api-client.js';
import { Failure } from './failure.js';
import { followHubJob } from './follow-hub-job.js';
import { formatBytes, formatSeconds, plural, printable } from './format.js';
import { resuming } from './resuming.js';

export interface PublishOptions {
  revision?: string;
  private?: boolean;
  public?: boolean;
  gated?: string;
  pr?: boolean;
  tag?: string;
  dryRun?: boolean;
  wait?: boolean;
  quiet?: boolean;
  json?: boolean;
}

/** Statuses of a command that waits for a publication, by how that ended. */
const statuses: Readonly<Record<string, number>> = { succeeded: 0, failed: 1, cancelled: 3 };

/**
 * `amalgam publish team/name@v hf:org/name`.
 * @param hubToken from the environment; never an argument, which shows in process lists
 * @returns the status of the process
 */
export async function publish(
  client: ApiClient,
  version: string,
  repository: string,
  options: PublishOptions,
  hubToken: string | undefined,
): Promise<number> {
  const { dryRun, revision, tag } = options;
  const visibility = options.private === true ? 'private' : options.public === true ? 'public' : undefined;
  const body = {
    ...{ version, repository, dryRun: dryRun === true, createPr: options.pr === true },
    ...(revision !== undefined && { revision }),
    ...(visibility !== undefined && { visibility }),
    ...(options.gated !== undefined && { gated: options.gated === 'off' ? false : options.gated }),
    ...(tag !== undefined && { tag }),
  };
  // Under the same key a request whose answer was lost is not carried out twice.
  const headers = { 'idempotency-key': randomUUID(), ...hubTokenHeader(hubToken) };
  const send = (): Promise<Publication | PublicationPreview> =>
    client.json('/v1/publications', { method: 'POST', headers, body });
  const answer = await resuming(send, { progress: () => 0 });
  if ('dryRun' in answer) return showPreview(answer, options);
  if (options.wait === true) return watchPublication(client, answer.id, options);
  show(answer, options);
  return 0;
}

export function hubTokenHeader(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { 'hub-token': checkedToken(token) };
}

/** One that no header can carry is refused here, where it can be said without repeating it. @throws Failure */
export function checkedToken(token: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new Failure('hub_token_invalid', 'the token has signs that no token has');
}

/** The publication of what a merge made, when it was asked for with the merge. */
export async function watchPublicationOf(client: ApiClient, mergeId: string, options: PublishOptions): Promise<number> {
  const path = `/v1/publications?merge=${encodeURIComponent(mergeId)}&limit=1`;
  const { items } = await client.json<{ items: Publication[] }>(path);
  const [publication] = items;
  if (!publication) throw new Failure('publication_not_found', `merge ${mergeId} has no publication`);
  return watchPublication(client, publication.id, options);
}

async function watchPublication(client: ApiClient, id: string, options: PublishOptions): Promise<number> {
  const path = `/v1/publications/${encodeURIComponent(id)}`;
  const goesOn = `the publication goes on: GET ${path}`;
  await followHubJob(client, { path, verb: 'Publishing', goesOn, quiet: options.quiet === true });
  const publication = await client.json<Publication>(path);
  show(publication, options);
  return statuses[publication.state] ?? 1;
}

function show(publication: Publication, { json = false, quiet = false }: PublishOptions): void {
  if (json) process.stdout.write(`${JSON.stringify(publication, null, 2)}\n`);
  else if (!quiet) process.stdout.write(`${describe(publication)}\n`);
}

function describe({ id, state, version, repository, url, failure, createdAt, finishedAt }: Publication): string {
  const seconds = finishedAt === null ? undefined : (Date.parse(finishedAt) - Date.parse(createdAt)) / 1000;
  const took = seconds === undefined ? '' : ` after ${formatSeconds(seconds)}`;
  if (state === 'succeeded') return `${version ?? ''} is on the Hub${took}: ${url ?? repository}`;
  const what = `publication ${id} to ${repository}`;
  if (state === 'failed') return `${what} failed${took}: ${failure?.code ?? ''}: ${printable(failure?.detail ?? '')}`;
  return `${what} is ${state}`;
}

/** @returns 1 when a licence stands in the way: a script can ask first */
function showPreview(preview: PublicationPreview, { json = false }: PublishOptions): number {
  const { licence, files, deletedFiles, bytesToSend, version, repository, revision, repositoryExists } = preview;
  const status = licence.mayPublish ? 0 : 1;
  if (json) {
    process.stdout.write(`${JSON.stringify(preview, null, 2)}\n`);
    return status;
  }
  const to = `${repository} (${repositoryExists ? '' : 'new, '}${preview.visibility}), ${revision}`;
  const lines = [
    `${version} would go to ${to}: ${formatBytes(bytesToSend)} of ${plural(files.length, 'file')}`,
    ...files.map(
      ({ path, bytes, change }) => `  ${change.padEnd(9)} ${formatBytes(bytes).padStart(9)}  ${printable(path)}`,
    ),
    ...deletedFiles.map((path) => `  ${'deleted'.padEnd(9)} ${''.padStart(9)}  ${printable(path)}`),
    `licence: ${licence.resultLicence}, ${licence.verdict}${licence.mayPublish ? '' : ': not published as it is'}`,
    `  ${printable(licence.why)}`,
    ...licence.obligations.map((each) => `  ${each}`),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return status;
}
