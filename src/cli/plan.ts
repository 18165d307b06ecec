import type { MergePlan } from '../engine/index.js';
import type { RecipeText } from './failure.js';
import { formatBytes, formatCount, formatFields, formatTable, plural, printable } from './format.js';
import { dtypeOf } from './local-card.js';
import { type LocalPlanOptions, planLocally } from './local-plan.js';

/** Dropped tensors that are listed one by one; a pruned model may drop thousands. */
const LISTED = 20;

/** `amalgam plan RECIPE`: what a merge would do and cost. @throws RecipeError, EngineError, Failure */
export async function plan(source: RecipeText, options: LocalPlanOptions & { json?: boolean }): Promise<void> {
  const local = await planLocally(source, options);
  for (const line of local.warnings) process.stderr.write(`${line}\n`);
  const stages = local.stages.map(({ name, plan: merge }) => ({ name, ...summaryOf(merge) }));
  if (options.json === true) {
    const answer = { ...summaryOf(local.plan), ...(stages.length > 0 && { stages }) };
    process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
    return;
  }
  for (const { name, recipe, plan: merge } of local.stages) {
    process.stdout.write(`${printable(name)}\n${describe(merge, recipe.merge_method)}\n`);
  }
  process.stdout.write(describe(local.plan, local.recipe.merge_method));
}

/** The same names as the service's plan; what only executors need is left out. */
function summaryOf(merge: MergePlan): object {
  const reference = (input: number): string => merge.inputs[input]?.reference ?? '';
  return {
    digest: merge.digest,
    method: (merge.recipe as { merge_method: string }).merge_method,
    dtype: dtypeOf(merge),
    parameterCount: merge.parameterCount,
    tensors: merge.outcome,
    outputBytes: merge.cost.writeBytes,
    readBytes: merge.cost.readBytes,
    peakMemoryBytes: merge.cost.memoryBytes,
    shards: merge.shards.map(({ file, bytes, tensors }) => ({ file, bytes, tensors: tensors.length })),
    seed: merge.seed,
    shardBytes: merge.shardBytes,
    engineVersion: merge.engine,
    inputs: merge.inputs,
    config: merge.config,
    copiedFiles: merge.copies.map(({ input, path }) => ({ path, from: reference(input) })),
    droppedTensors: merge.dropped.map(({ input, tensor, reason }) => ({ tensor, from: reference(input), reason })),
    warnings: merge.warnings,
  };
}

function describe(merge: MergePlan, method: string): string {
  const { merged, copied, dropped } = merge.outcome;
  const { writeBytes, readBytes, memoryBytes } = merge.cost;
  const models = merge.inputs.map(({ reference }) => reference).join(', ');
  const fields = formatFields([
    ['method', method],
    ['models', models],
    ['parameters', formatCount(merge.parameterCount)],
    ['dtype', dtypeOf(merge)],
    ['tensors', `${formatCount(merged)} merged, ${formatCount(copied)} copied, ${formatCount(dropped)} dropped`],
    ['output', `${formatBytes(writeBytes)} in ${plural(merge.shards.length, 'file')}`],
    ['reads', `${formatBytes(readBytes)}, all passes together`],
    ['memory', `${formatBytes(memoryBytes)} at most, estimated`],
    ['seed', String(merge.seed)],
    ['files taken over', merge.copies.map(({ path }) => path).join(', ') || 'none'],
    ['digest', merge.digest],
  ]);
  return fields + shardLines(merge) + droppedLines(merge);
}

function shardLines({ shards }: MergePlan): string {
  if (shards.length < 2) return '';
  const rows = shards.map(({ file, bytes, tensors }) => [file, formatBytes(bytes), plural(tensors.length, 'tensor')]);
  return `\n${formatTable(rows)}`;
}

function droppedLines({ dropped, inputs }: MergePlan): string {
  if (dropped.length === 0) return '';
  const listed = dropped.slice(0, LISTED).map(({ input, tensor, reason }) => {
    return `  ${printable(`${inputs[input]?.reference ?? ''}: ${tensor}: ${reason}`)}\n`;
  });
  const rest = dropped.length - listed.length;
  return `\ndropped\n${listed.join('')}${rest > 0 ? `  and ${formatCount(rest)} more (--json lists them all)\n` : ''}`;
}
