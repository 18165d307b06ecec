import {
  type Checkpoint,
  type CheckpointFiles,
  inspectOffThread,
  type MergePlan,
  plan,
  type PlanModel,
  type ReportMode,
  slicesOf,
} from '../engine/index.js';
import type { Recipe } from '../recipe/index.js';
import type { MergeWarning, Plan } from './merges.schema.js';

// What the service asks of the engine, in one place: everything below plans, execution is in shard-execution.ts.

export type { MergePlan };

export interface EngineInput {
  /** As the pinned recipe has it. */
  name: string;
  /** Of the version's manifest. */
  digest: string;
  files: CheckpointFiles;
  /** Where it was read already. */
  checkpoint?: Checkpoint;
}

/** Listing more would make the answer larger than the plan is worth reading. */
const listedDropped = 100;
/** Headers of one model take 1 to 3 MB when they are parsed. */
const cachedCheckpoints = 24;

/** Plans merges from headers; what was once read of an immutable version is not read again. */
export class MergePlanner {
  readonly #checkpoints = new Map<string, Promise<Checkpoint>>();

  /** @throws EngineError when the recipe and these models do not go together */
  async plan(
    recipe: Recipe,
    inputs: readonly EngineInput[],
    options: { seed?: number; shardBytes: number; report: ReportMode; allowNan: boolean; threads: number },
  ): Promise<MergePlan> {
    const models = new Map<string, PlanModel>();
    for (const { name, digest, files, checkpoint } of inputs) {
      models.set(name, { checkpoint: checkpoint ?? (await this.#inspect(digest, files)), files, digest });
    }
    return plan(recipe, { models, ...options });
  }

  async #inspect(digest: string, files: CheckpointFiles): Promise<Checkpoint> {
    const known = this.#checkpoints.get(digest);
    const checkpoint = known ?? inspectOffThread(files);
    this.#checkpoints.delete(digest);
    this.#checkpoints.set(digest, checkpoint);
    for (const oldest of [...this.#checkpoints.keys()].slice(0, -cachedCheckpoints)) this.#checkpoints.delete(oldest);
    // A store that was away for a moment must not be remembered.
    checkpoint.catch(() => this.#checkpoints.delete(digest));
    return checkpoint;
  }
}

/** What a plan says to people and programs, without the part that only executors need. */
export function summaryOf(
  mergePlan: MergePlan,
  inputs: Plan['inputs'],
  warnings: readonly MergeWarning[],
  licence: Plan['licence'],
): Plan {
  const nameOf = (input: number): string => inputs[input]?.version ?? '';
  const dtypes = dtypesOf(mergePlan);
  return {
    digest: mergePlan.digest,
    method: (mergePlan.recipe as { merge_method: string }).merge_method,
    dtype: Object.keys(dtypes).length === 1 ? (Object.keys(dtypes)[0] ?? '') : 'mixed',
    architecture: architectureOf(mergePlan) ?? null,
    parameterCount: mergePlan.parameterCount,
    tensors: mergePlan.outcome,
    outputBytes: mergePlan.cost.writeBytes,
    readBytes: mergePlan.cost.readBytes,
    fetchBytes: 0,
    peakMemoryBytes: mergePlan.cost.memoryBytes,
    shards: mergePlan.shards.length,
    seed: mergePlan.seed,
    shardBytes: mergePlan.shardBytes,
    report: mergePlan.report,
    allowNan: mergePlan.allowNan,
    engineVersion: mergePlan.engine,
    inputs,
    stages: [],
    copiedFiles: mergePlan.copies.map(({ input, path }) => ({ path, from: nameOf(input) })),
    droppedTensors: mergePlan.dropped.slice(0, listedDropped).map(({ input, tensor, reason }) => ({
      tensor,
      from: nameOf(input),
      reason,
    })),
    warnings: [...warnings, ...mergePlan.warnings.map(({ pointer = '', ...rest }) => ({ ...rest, pointer }))],
    ...(licence !== undefined && { licence }),
  };
}

/** How many tensors of the result have each type. */
export function dtypesOf({ shards }: MergePlan): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { tensors } of shards) for (const { dtype } of tensors) counts[dtype] = (counts[dtype] ?? 0) + 1;
  return counts;
}

export function architectureOf({ config }: MergePlan): string | undefined {
  const architectures = config['architectures'];
  const first: unknown = Array.isArray(architectures) ? architectures[0] : undefined;
  return typeof first === 'string' ? first : undefined;
}

export function modelTypeOf({ config }: MergePlan): string | undefined {
  const type = config['model_type'];
  return typeof type === 'string' ? type : undefined;
}

/** Input files whose bytes a shard is made from. */
export function filesOfShard(mergePlan: MergePlan, index: number): { input: number; file: string }[] {
  return filesOf(mergePlan.shards.slice(index, index + 1));
}

/** Input files whose bytes any shard is made from. */
export function filesOfPlan({ shards }: MergePlan): { input: number; file: string }[] {
  return filesOf(shards);
}

function filesOf(shards: MergePlan['shards']): { input: number; file: string }[] {
  const found = new Map<string, { input: number; file: string }>();
  for (const { operation } of shards.flatMap(({ tensors }) => tensors)) {
    for (const { input, file } of slicesOf(operation)) found.set(`${input}/${file}`, { input, file });
  }
  return [...found.values()];
}
