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
  keepStages?: boolean;
  wait?: boolean;
  quiet?: boolean;
  json?: boolean;
}

/**
 * `amalgam submit RECIPE team/name`.
 * @param hubToken for models of the Hub, and for `publish`
 * @returns the status of the process
 */
export async function submit(
  client: ApiClient,
  recipe: RecipeText,
  output: string,
  options: SubmitOptions,
  hubToken?: string,
): Promise<number> {
  const query = queryOf(output, options);
  // Under the same key a request whose answer was lost is not carried out twice.
  const headers = {
    'content-type': 'application/yaml',
    'idempotency-key': randomUUID(),
    ...hubTokenHeader(hubToken),
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

function queryOf(output: string, options: SubmitOptions): URLSearchParams {
  const { alias, seed, outShardSize, device, label, lenient, report, allowNan, publish, keepStages } = options;
  const values = {
    alias,
    seed,
    shardBytes: outShardSize,
    device,
    labels: label?.join(','),
    lenient: lenient === true ? true : undefined,
    report,
    allowNan: allowNan === true ? true : undefined,
    publish,
    keepStages: keepStages === true ? true : undefined,
  };
  const query = new URLSearchParams({ output });
  for (const [name, value] of Object.entries(values)) if (value !== undefined) query.set(name, String(value));
  return query;
}

function notes({ plan, deduplicated, output }: Merge): string[] {
  if (plan === null) return [`${output}: planned as soon as the headers of its models were read`];
  const warnings = plan.warnings.map(({ code, message }) => `warning ${code}: ${message}`);
  if (deduplicated) return [...warnings, 'these bytes were there already, so nothing is computed'];
  const { tensors, outputBytes, shards, inputs, method } = plan;
  const models = inputs.map(({ version }) => version).join(', ');
  const counts = `${plural(tensors.merged, 'tensor')} merged, ${tensors.copied} copied, ${tensors.dropped} dropped`;
  const size = `${formatBytes(outputBytes)} in ${plural(shards, 'file')}`;
  return [...warnings, `${method} of ${models}: ${counts}, ${size}`];
}
