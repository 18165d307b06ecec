import { randomUUID } from 'node:crypto';
import type { ReportMode } from '../engine/index.js';
import type { Merge } from '../merges/merges.schema.js';
import type { ApiClient } from './api-client.js';
import type { RecipeText } from './failure.js';
import { formatBytes, plural } from './format.js';
import { hubTokenHeader, watchPublicationOf } from './publish.js';
import { resuming } from './resuming.js';
import { describeMerge, watch } from './watch.js';

export interface SubmitOptions {
  alias?: string;
  seed?: number;
  outShardSize?: number;
  device?: string;
  label?: readonly string[];
  lenient?: boolean;
  allowNan?: boolean;
  report?: ReportMode;
  publish?: string;
  wait?: boolean;
  quiet?: boolean;
  json?: boolean;
}

/**
 * `amalgam submit RECIPE team/name`.
 * @param hubToken for `publish`
 * @returns the status of the process
 */
export async function submit(
  client: ApiClient,
  recipe: RecipeText,
  output: string,
  options: SubmitOptions,
  hubToken?: string,
): Promise<number> {
  const query = new URLSearchParams({ output });
  if (options.alias !== undefined) query.set('alias', options.alias);
  if (options.seed !== undefined) query.set('seed', String(options.seed));
  if (options.outShardSize !== undefined) query.set('shardBytes', String(options.outShardSize));
  if (options.device !== undefined) query.set('device', options.device);
  if (options.label !== undefined) query.set('labels', options.label.join(','));
  if (options.lenient === true) query.set('lenient', 'true');
  if (options.report !== undefined) query.set('report', options.report);
  if (options.allowNan === true) query.set('allowNan', 'true');
  if (options.publish !== undefined) query.set('publish', options.publish);
  // Under the same key a request whose answer was lost is not carried out twice.
  const headers = {
    'content-type': 'application/yaml',
    'idempotency-key': randomUUID(),
    ...(options.publish !== undefined && hubTokenHeader(hubToken)),
  };
  const send = (): Promise<Merge> =>
    client.json<Merge>(`/v1/merges?${query.toString()}`, { method: 'POST', headers, body: recipe.text });
  const merge = await resuming(send, { progress: () => 0 });
  if (options.quiet !== true) for (const line of notes(merge)) process.stderr.write(`${line}\n`);
  if (options.wait === true) {
    const status = await watch(client, merge.id, options);
    if (options.publish === undefined || status !== 0) return status;
    return watchPublicationOf(client, merge.id, options);
  }
  if (options.json === true) process.stdout.write(`${JSON.stringify(merge, null, 2)}\n`);
  else process.stdout.write(`${describeMerge(merge)}\n`);
  return 0;
}

function notes({ plan, deduplicated }: Merge): string[] {
  const warnings = plan.warnings.map(({ code, message }) => `warning ${code}: ${message}`);
  if (deduplicated) return [...warnings, 'these bytes were there already, so nothing is computed'];
  const { tensors, outputBytes, shards, inputs, method } = plan;
  const models = inputs.map(({ version }) => version).join(', ');
  const counts = `${plural(tensors.merged, 'tensor')} merged, ${tensors.copied} copied, ${tensors.dropped} dropped`;
  const size = `${formatBytes(outputBytes)} in ${plural(shards, 'file')}`;
  return [...warnings, `${method} of ${models}: ${counts}, ${size}`];
}
