import { randomUUID } from 'node:crypto';
import type { BackFill, Trigger, TriggerRun } from '../triggers/triggers.schema.js';
import { ApiClient, ApiProblem } from './api-client.js';
import type { RecipeText } from './failure.js';
import { plural } from './format.js';
import { hubTokenHeader } from './publish.js';
import { resuming } from './resuming.js';

export interface TriggerOutput {
  quiet?: boolean;
  json?: boolean;
}

export interface TriggerCreateOptions extends TriggerOutput {
  watch: string;
  output: string;
  alias?: string;
  keepLast?: number;
  disabled?: boolean;
  seed?: number;
  outShardSize?: number;
  device?: string;
  label?: readonly string[];
  report?: string;
  /** `hf:org/name`. */
  publish?: string;
  allowNan?: boolean;
  lenient?: boolean;
}

/**
 * `amalgam trigger create NAME RECIPE --watch team/checkpoints --output team/merged`
 * @param hubToken for `publish`
 */
export async function createTrigger(
  client: ApiClient,
  name: string,
  recipe: RecipeText,
  options: TriggerCreateOptions,
  hubToken: string | undefined,
): Promise<void> {
  const { watch, output, alias, keepLast, disabled, seed, outShardSize, device, label, report, publish } = options;
  const body = {
    ...{ name, recipe: recipe.text, watch, output, alias, seed, device, report, publish },
    ...(keepLast !== undefined && { retention: { keepLast } }),
    ...(disabled === true && { enabled: false }),
    ...(outShardSize !== undefined && { shardBytes: outShardSize }),
    ...(label !== undefined && { labels: Object.fromEntries(label.map(splitLabel)) }),
    ...(options.allowNan === true && { allowNan: true }),
    ...(options.lenient === true && { lenient: true }),
  };
  const trigger = await post<Trigger>(
    client,
    '/v1/triggers',
    body,
    publish === undefined ? {} : hubTokenHeader(hubToken),
  ).catch((error: unknown) => {
    throw intoRecipe(error);
  });
  show(options, trigger, () => [
    `${trigger.name} merges every new version of ${trigger.watch} into ${trigger.output}`,
    `what is there already: amalgam trigger back-fill ${trigger.name} --dry-run`,
  ]);
}

/** `amalgam trigger list` */
export async function listTriggers(client: ApiClient, options: TriggerOutput): Promise<void> {
  const items = await client.list<Trigger>('/v1/triggers?limit=200');
  show(options, items, () => items.map(describe));
}

/** `amalgam trigger show NAME`: the trigger and what became of its checkpoints. */
export async function showTrigger(client: ApiClient, name: string, options: TriggerOutput): Promise<void> {
  const path = pathOf(name);
  const trigger = await client.json<Trigger>(path);
  const runs = await client.list<TriggerRun>(`${path}/runs?limit=200`);
  show(options, { ...trigger, items: runs }, () => [describe(trigger), ...runs.map(describeRun)]);
}

export interface BackFillOptions extends TriggerOutput {
  from?: number;
  to?: number;
  dryRun?: boolean;
}

/** `amalgam trigger back-fill NAME` */
export async function backFill(client: ApiClient, name: string, options: BackFillOptions): Promise<void> {
  const { from, to, dryRun = false } = options;
  const answer = await post<BackFill>(client, `${pathOf(name)}/back-fills`, { from, to, dryRun });
  show(options, answer, () => [
    ...answer.items.map(({ checkpoint, action, failure }) => {
      return `  ${checkpoint}  ${action}${failure === null ? '' : ` (${failure.code}: ${failure.detail})`}`;
    }),
    `${plural(answer.queued, 'checkpoint')} ${dryRun ? 'would be merged' : 'will be merged'}`,
  ]);
}

/** `amalgam trigger enable NAME`, and disable. */
export async function setEnabled(
  client: ApiClient,
  name: string,
  action: 'enable' | 'disable',
  options: TriggerOutput,
): Promise<void> {
  const trigger = await post<Trigger>(client, `${pathOf(name)}/${action}`, {});
  show(options, trigger, () => [describe(trigger)]);
}

/** `amalgam trigger delete NAME` */
export async function deleteTrigger(client: ApiClient, name: string, options: TriggerOutput): Promise<void> {
  await client.request(pathOf(name), { method: 'DELETE' });
  show(options, { deleted: name }, () => [`${name} is deleted; what it has merged stays`]);
}

function pathOf(name: string): string {
  return `/v1/triggers/${encodeURIComponent(name)}`;
}

/** Under one key, so that a request whose answer was lost is not carried out twice. */
function post<T>(client: ApiClient, path: string, body: object, more: Record<string, string> = {}): Promise<T> {
  const headers = { 'idempotency-key': randomUUID(), ...more };
  return resuming(() => client.json<T>(path, { method: 'POST', headers, body }), { progress: () => 0 });
}

function show({ json, quiet }: TriggerOutput, answer: unknown, lines: () => string[]): void {
  if (json === true) process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
  else if (quiet !== true)
    process.stdout.write(
      lines()
        .map((line) => `${line}\n`)
        .join(''),
    );
}

function describe({ name, watch, output, enabled, runs, retention }: Trigger): string {
  const counts = Object.entries(runs).flatMap(([state, count]) => (count > 0 ? [`${count} ${state}`] : []));
  const kept = retention === null ? '' : `, the last ${retention.keepLast} kept`;
  const state = enabled ? '' : ', disabled';
  return `${name}: ${watch} -> ${output}${kept}${state}; ${counts.join(', ') || 'no checkpoint yet'}`;
}

function describeRun({ checkpoint, state, version, weightsExpired, failure }: TriggerRun): string {
  const result = version === null ? '' : ` -> ${version}${weightsExpired ? ' (weights expired)' : ''}`;
  return `  ${checkpoint}  ${state}${result}${failure === null ? '' : ` (${failure.code}: ${failure.detail})`}`;
}

/** The recipe is a member of the body; people look for the mistake in their file. */
function intoRecipe(error: unknown): unknown {
  if (!(error instanceof ApiProblem)) return error;
  const strip = (pointer: string): string =>
    pointer.startsWith('/recipe') ? pointer.slice('/recipe'.length) : `?${pointer.slice(1)}`;
  const { pointer, errors } = error.problem as { pointer?: string; errors?: { pointer: string }[] };
  return new ApiProblem(error.status, {
    ...error.problem,
    ...(pointer !== undefined && { pointer: strip(pointer) }),
    ...(errors !== undefined && { errors: errors.map((each) => ({ ...each, pointer: strip(each.pointer) })) }),
  } as typeof error.problem);
}

function splitLabel(text: string): [string, string] {
  const at = text.indexOf('=');
  return [text.slice(0, at), text.slice(at + 1)];
}
