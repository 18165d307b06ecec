import {
  EngineError,
  execute,
  formatReport,
  type MergeEvent,
  type MergeReport,
  mergeReport,
  type MergeResult,
  MergeThreads,
  OutputDirectory,
  REPORT_FILE,
} from '../engine/index.js';
import { heatMap } from '../cards/heat-map.js';
import type { ModelCard } from '../cards/model-card.js';
import { REPORT_PICTURE } from '../cards/report-section.js';
import { Interrupted, type RecipeText } from './failure.js';
import { formatBytes, formatSeconds, plural } from './format.js';
import { localCard, nameOf } from './local-card.js';
import { type LocalPlan, type LocalPlanOptions, type LocalStage, planLocally } from './local-plan.js';
import { peakRssBytes } from './peak-memory.js';
import { openProgress, type Progress } from './progress.js';
import { cancelOnSignals } from './signals.js';
import { StageDirectory } from './stage-directory.js';

/** Name of the recipe beside the weights, as the service stores it too. */
export const RECIPE_FILE = 'amalgam-recipe.yaml';

export interface MergeOptions extends LocalPlanOptions {
  overwrite?: boolean;
  keepStages?: boolean;
  /** These three are on unless they are switched off. */
  writeModelCard?: boolean;
  digests?: boolean;
  fsync?: boolean;
  ioChunkBytes?: number;
  quiet?: boolean;
  verbose: number;
  json?: boolean;
}

const spoiling: readonly string[] = ['input_changed', 'nan_in_result'];

/** `amalgam merge RECIPE OUT`. @throws RecipeError, EngineError, Failure, Interrupted */
export async function merge(source: RecipeText, out: string, options: MergeOptions): Promise<void> {
  const begun = performance.now();
  const work = StageDirectory.beside(out);
  const threads = new MergeThreads(options.numThreads).start();
  const local = await planLocally(source, options, (name, digest) => work.pathOf(name, digest));
  for (const line of local.warnings) process.stderr.write(`${line}\n`);
  const output = await OutputDirectory.open({
    directory: out,
    digest: local.plan.digest,
    shards: local.plan.shards,
    overwrite: options.overwrite ?? false,
    inputs: [...local.models.values()].map(({ directory }) => directory),
    durable: options.fsync ?? true,
  });
  try {
    for (const stage of local.stages) await mergeStage(stage, work, threads, options);
  } catch (error) {
    await output.suspend();
    throw error;
  }
  const result = await runShards(local, output, threads, options);
  try {
    await writeCompanions(local, output, result, options);
    await output.publish();
  } catch (error) {
    await output.suspend();
    throw error;
  }
  if (options.keepStages !== true) await work.remove();
  report(local, result, out, (performance.now() - begun) / 1000, options);
}

/** Merges what the result is made from, unless an earlier attempt did. */
async function mergeStage(
  stage: LocalStage,
  work: StageDirectory,
  threads: MergeThreads,
  options: MergeOptions,
): Promise<void> {
  if (await work.has(stage.directory)) return;
  await work.create();
  const { plan, models, directory } = stage;
  const output = await OutputDirectory.open({
    directory,
    digest: plan.digest,
    shards: plan.shards,
    inputs: [...models.values()].map((model) => model.directory),
    durable: options.fsync ?? true,
  });
  const result = await runShards(stage, output, threads, options);
  try {
    await writeCompanions({ ...stage, recipeText: '' }, output, result, { ...options, writeModelCard: false });
    await output.publish();
  } catch (error) {
    await output.suspend();
    throw error;
  }
}

async function runShards(
  { plan, models }: Pick<LocalPlan, 'plan' | 'models'>,
  output: OutputDirectory,
  threads: MergeThreads,
  options: MergeOptions,
): Promise<MergeResult> {
  const cancellation = cancelOnSignals();
  const progress = await openProgress({ verb: 'Merging', quiet: options.quiet === true });
  const watch = watcher(output, progress, options.verbose);
  try {
    return await execute(plan, {
      directory: output.directory,
      reports: output.reports,
      locate: (input, file) => models.get(plan.inputs[input]?.reference ?? '')?.path(file) ?? file,
      digests: options.digests ?? true,
      signal: cancellation.signal,
      onEvent: watch,
      threads,
      ...(options.ioChunkBytes !== undefined && { chunkBytes: options.ioChunkBytes }),
    });
  } catch (error) {
    progress.stop();
    // Shards of inputs that changed under way, or that have NaN, are of no use to anybody.
    const isSpoilt = error instanceof EngineError && spoiling.includes(error.code);
    const kept = isSpoilt ? (await output.discard(), 0) : (await output.suspend()).finished;
    const hint = kept === 0 ? '' : `; ${plural(kept, 'finished shard')} kept: the same command goes on from there`;
    if (cancellation.exitCode === undefined) {
      if (hint !== '') process.stderr.write(`stopped${hint}\n`);
      throw error;
    }
    process.stderr.write(`cancelled${hint}\n`);
    throw new Interrupted(cancellation.exitCode);
  } finally {
    progress.stop();
    cancellation.close();
  }
}

function watcher(output: OutputDirectory, progress: Progress, verbose: number): (event: MergeEvent) => void {
  let resumedBytes = 0;
  return (event) => {
    if (event.type === 'progress') {
      progress.update(Math.min(event.writtenBytes + resumedBytes, event.totalWriteBytes), event.totalWriteBytes);
    } else if (event.type === 'shard') {
      output.finished(event.file);
      if (event.resumed) resumedBytes += event.bytes;
      if (event.resumed) progress.note(`${event.file} was finished by an earlier attempt`);
      else if (verbose > 0) progress.note(`${event.file} ${formatBytes(event.bytes)} ${event.sha256 ?? ''}`.trimEnd());
    } else if (verbose > 1) {
      progress.note(`  ${event.tensor}`);
    }
  };
}

/** Everything beside the weights. */
async function writeCompanions(
  local: Pick<LocalPlan, 'plan' | 'models' | 'recipe' | 'recipeText'>,
  output: OutputDirectory,
  { shards, reports }: MergeResult,
  options: MergeOptions,
): Promise<void> {
  const { plan, models, recipe } = local;
  const files: { path: string; bytes: number; sha256: string }[] = [];
  for (const { file, bytes, sha256 } of shards) if (sha256 !== undefined) files.push({ path: file, bytes, sha256 });
  const write = async (path: string, content: string): Promise<void> => {
    files.push({ path, ...(await output.write(path, content)) });
  };
  if (plan.configText !== undefined) await write('config.json', plan.configText);
  if (plan.index !== undefined) await write('model.safetensors.index.json', plan.index);
  let report: MergeReport | undefined;
  if (plan.report !== 'none') {
    const names = plan.inputs.map(({ reference }) => nameOf(reference));
    report = mergeReport(plan.report, names, reports);
    await write(REPORT_FILE, formatReport(report));
  }
  for (const { input, path } of plan.copies) {
    const source = models.get(plan.inputs[input]?.reference ?? '')?.path(path) ?? path;
    files.push({ path, ...(await output.copy(source, path)) });
  }
  if (options.writeModelCard === false) return;
  await write(RECIPE_FILE, local.recipeText);
  if (report) await write(REPORT_PICTURE, heatMap(report));
  const card = { recipe, recipeText: local.recipeText, models, plan, ...(report && { report }) };
  const sorted: ModelCard['files'] = files.sort((a, b) => (a.path < b.path ? -1 : 1));
  await output.write('README.md', await localCard({ ...card, files: sorted }));
}

function report(
  { recipe, plan, stages }: LocalPlan,
  result: MergeResult,
  out: string,
  seconds: number,
  options: MergeOptions,
): void {
  if (options.json === true) {
    const { outcome, digest, seed, parameterCount } = plan;
    const { shards, readBytes, writtenBytes } = result;
    const answer = {
      output: out,
      digest,
      seed,
      parameterCount,
      tensors: outcome,
      ...(stages.length > 0 && { stages: stages.map((stage) => ({ name: stage.name, digest: stage.plan.digest })) }),
      shards,
      readBytes,
      writtenBytes,
      // From the first read to the last write; `seconds` has planning and the small files too.
      mergeSeconds: result.seconds,
      seconds,
      peakRssBytes: peakRssBytes(),
    };
    process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
    return;
  }
  if (options.quiet === true) return;
  const { merged, copied, dropped } = plan.outcome;
  const counts = `${plural(merged, 'tensor')} merged, ${copied} copied, ${dropped} dropped`;
  const size = `${formatBytes(plan.cost.writeBytes)} in ${plural(plan.shards.length, 'file')}`;
  process.stdout.write(
    `${out}: ${recipe.merge_method} of ${plural(plan.inputs.length, 'model')}, ${counts}, ${size}, ${formatSeconds(seconds)}\n`,
  );
}
