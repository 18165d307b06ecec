import { availableParallelism } from 'node:os';
import { canonicalRecipe, layerOf, modelReferences, type Recipe } from '../../recipe/index.js';
import { companionFiles } from '../architecture/companion-files.js';
import type { JsonRecord } from '../architecture/json-record.js';
import { layerCount, outputConfig } from '../architecture/output-config.js';
import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { formatConfig } from '../checkpoint/config.js';
import { type Dtype } from '../checkpoint/dtype.js';
import { indexJson, shardFiles } from '../checkpoint/layout.js';
import { EngineError, quote } from '../errors.js';
import { DEFAULT_CHUNK_BYTES } from '../execution/options.js';
import { slicesOf } from '../execution/task.js';
import { memoryBytesOf, readBytesOf } from '../execution/task-list.js';
import { DEFAULT_REPORT, type ReportMode } from '../report/report-mode.js';
import { canonicalJson, defaultSeed, sha256Hex } from './canonical-json.js';
import { type DroppedTensor, ENGINE_VERSION, type MergePlan, type PlanCopy, type PlanShard } from './merge-plan.js';
import { Coefficients } from './coefficients.js';
import type { PlanModel } from './plan-model.js';
import { planOperation, type PlannedOperation } from './operations.js';
import { type TensorList, listTensors } from './output-tensors.js';
import { checkLayerRanges, type OutputSlice, outputSlices } from './slices.js';
import { tokenizerSource } from './tokenizer-source.js';

/** MergeKit's default: 5 GB. The service asks for 1 GB. */
export const DEFAULT_SHARD_BYTES = 5_000_000_000;

export interface PlanOptions {
  /** Every model of the recipe, by the reference that the recipe uses. */
  models: ReadonlyMap<string, PlanModel>;
  /** Recorded always, used by methods with random masks. Default: the first 53 bits of the recipe's digest. */
  seed?: number;
  /** Limit on the tensors' bytes of one output file. Default 5 GB, as in MergeKit. */
  shardBytes?: number;
  /** Take tokenizer and generation files over from the base (else the first) model. Default true. */
  copyTokenizer?: boolean;
  /** How much of the merge is looked at for its report, which is stored with the result. Default sampled. */
  report?: ReportMode;
  /** Write NaN where the merge gives it, instead of refusing with nan_in_result. Default false. */
  allowNan?: boolean;
  threads?: number;
}

interface NamedOperation extends PlannedOperation {
  name: string;
}

/**
 * Turns a recipe and its models' headers into everything that a merge will do. No weight is read.
 *
 * @throws EngineError with a pointer into the recipe: tensor_missing, shape_mismatch, depth_mismatch,
 *   layer_range_invalid, base_not_in_slice, parameter_missing, weights_sum_to_zero, coefficients_invalid,
 *   dtype_not_supported, quantised_checkpoint, tokenizers_differ
 */
export async function plan(recipe: Recipe, options: PlanOptions): Promise<MergePlan> {
  const references = modelReferences(recipe);
  const checkpoints = new Map(references.map((reference) => [reference, modelOf(options, reference).checkpoint]));
  checkpoints.forEach(refuseQuantised);
  const slices = outputSlices(recipe);
  checkDepths(slices, checkpoints);
  // Before the shapes: of models with different vocabularies it says what the recipe asked for in vain.
  const tokenizer = await tokenizerSource(recipe, modelsOf(recipe, references), options.models);
  const list = listTensors(slices, checkpoints);
  const inputIndex = new Map(references.map((reference, index) => [reference, index]));
  const coefficients = Coefficients.find(recipe, inputIndex, checkpoints.get(recipe.coefficients ?? ''));
  coefficients?.checkNames(list.tensors);
  const canonical = canonicalRecipe(recipe);
  const seed = options.seed ?? defaultSeed(canonical);
  const operations = list.tensors.map((output): NamedOperation => {
    return { name: output.name, ...planOperation(recipe, output, { inputIndex, seed, coefficients }) };
  });
  const shardBytes = options.shardBytes ?? DEFAULT_SHARD_BYTES;
  const shards = layOut(operations, shardBytes);
  const copyTokenizer = options.copyTokenizer ?? true;
  const report = options.report ?? DEFAULT_REPORT;
  const allowNan = options.allowNan ?? false;
  const inputs = references.map((reference) => ({ reference, digest: modelOf(options, reference).digest }));
  const dropped = droppedTensors(recipe, list, references, checkpoints, operations);
  const copied = operations.filter(({ operation }) => operation.kind === 'copy').length;
  const identity = {
    engine: ENGINE_VERSION,
    recipe: canonical,
    inputs,
    seed,
    shardBytes,
    copyTokenizer,
    report,
    allowNan,
  };
  return {
    engine: ENGINE_VERSION,
    digest: sha256Hex(canonicalJson(identity)),
    recipe: canonical,
    seed,
    shardBytes,
    report,
    allowNan,
    inputs,
    shards,
    ...(shards.length > 1 && { index: indexJson(shardFiles(operations, shardBytes)) }),
    ...configOf(recipe, references, checkpoints, list, operations),
    copies: copyTokenizer ? copiesOf(tokenizer, references, options) : [],
    dropped,
    warnings: references.flatMap((reference) =>
      modelOf(options, reference).checkpoint.warnings.map((message) => ({
        code: 'checkpoint',
        message: `${reference}: ${message}`,
      })),
    ),
    parameterCount: operations.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0),
    outcome: { merged: operations.length - copied, copied, dropped: dropped.length },
    cost: {
      readBytes: readBytesOf(shards),
      writeBytes: shards.reduce((sum, { bytes }) => sum + bytes, 0),
      memoryBytes: memoryBytesOf(shards, options.threads ?? availableParallelism(), DEFAULT_CHUNK_BYTES),
    },
  };
}

function modelOf(options: PlanOptions, reference: string): PlanModel {
  const model = options.models.get(reference);
  if (model === undefined) throw new EngineError('weights_missing', `no model was given for ${quote(reference)}`);
  return model;
}

function refuseQuantised({ quantisation }: Checkpoint, reference: string): void {
  if (quantisation === undefined) return;
  const message = `${reference} is quantised (${quantisation}): its stored numbers are codes and cannot be averaged; use the unquantised model`;
  throw new EngineError('quantised_checkpoint', message);
}

/** Layers by config.json, else by the tensors' names. */
function depthOf(checkpoint: Checkpoint): number {
  const config = checkpoint.config as JsonRecord | undefined;
  return (config && layerCount(config)) ?? deepestLayer(checkpoint) + 1;
}

function deepestLayer({ tensors }: Checkpoint): number {
  let deepest = -1;
  for (const name of tensors.keys()) deepest = Math.max(deepest, layerOf(name)?.layer ?? -1);
  return deepest;
}

function checkDepths(slices: readonly OutputSlice[], checkpoints: ReadonlyMap<string, Checkpoint>): void {
  const depths = new Map([...checkpoints].map(([reference, checkpoint]) => [reference, depthOf(checkpoint)]));
  checkLayerRanges(slices, depths);
  const [first] = slices;
  if (first === undefined || first.sources.some(({ layers }) => layers !== undefined)) return;
  if (new Set(first.sources.map(({ reference }) => depths.get(reference))).size <= 1) return;
  const list = first.sources.map(({ reference }) => `${reference} ${depths.get(reference) ?? 0}`).join(', ');
  throw new EngineError('depth_mismatch', `the models have different numbers of layers: ${list}`, {
    pointer: first.pointer,
  });
}

function layOut(operations: readonly NamedOperation[], shardBytes: number): PlanShard[] {
  const byName = new Map(operations.map((operation) => [operation.name, operation.operation]));
  return shardFiles(operations, shardBytes).map(({ name, header, bytes, tensors }) => ({
    file: name,
    bytes,
    header: Buffer.from(header).toString('base64'),
    tensors: tensors.map((tensor) => {
      const operation = byName.get(tensor.name);
      if (operation === undefined) throw new Error(`no operation for ${tensor.name}`);
      return { ...tensor, operation };
    }),
  }));
}

/** What no output tensor is made from, and why: nothing disappears without a line in the plan. */
function droppedTensors(
  recipe: Recipe,
  list: TensorList,
  references: readonly string[],
  checkpoints: ReadonlyMap<string, Checkpoint>,
  operations: readonly NamedOperation[],
): DroppedTensor[] {
  const used = references.map(() => new Map<string, Set<number>>());
  for (const { operation } of operations) {
    for (const { input, file, offset } of slicesOf(operation)) {
      const offsets = used[input]?.get(file);
      if (offsets === undefined) used[input]?.set(file, new Set([offset]));
      else offsets.add(offset);
    }
  }
  const reasons = new Map(list.dropped.map(({ tensor, reason }) => [tensor, reason]));
  // Whole models: an output tensor has its inputs' name, and only an override makes it without one of them.
  const merged = new Set(list.layers === undefined ? operations.map(({ name }) => name) : []);
  return references.flatMap((reference, input) =>
    [...(checkpoints.get(reference)?.tensors.values() ?? [])].flatMap((tensor): DroppedTensor[] => {
      if (used[input]?.get(tensor.file)?.has(tensor.offset) === true || tensor.bytes === 0) return [];
      const isCoefficient = reference === recipe.coefficients;
      const reason = isCoefficient ? 'the recipe merges the tensor in another way' : reasons.get(tensor.name);
      return [{ input, tensor: tensor.name, reason: reason ?? reasonFor(tensor.name, merged) }];
    }),
  );
}

function reasonFor(name: string, merged: ReadonlySet<string>): string {
  if (merged.has(name)) return 'an override merges this tensor without the model';
  const place = layerOf(name);
  if (place !== undefined) return `no slice takes layer ${place.layer} of this model`;
  return 'tensors outside the layers come from the models of the first slice, final norm and head from the last';
}

function configOf(
  recipe: Recipe,
  references: readonly string[],
  checkpoints: ReadonlyMap<string, Checkpoint>,
  list: TensorList,
  operations: readonly NamedOperation[],
): Pick<MergePlan, 'config' | 'configText'> {
  const owner = recipe.base_model ?? references[0] ?? '';
  const checkpoint = checkpoints.get(owner);
  if (!checkpoint?.config) return { config: {} };
  const head = list.tensors.find(({ name }) => name.endsWith('lm_head.weight'));
  const isTied = (reference: string): boolean => checkpoints.get(reference)?.config?.['tie_word_embeddings'] === true;
  const untied = head?.sources.some(({ source }) => !isTied(source.reference)) === true && isTied(owner);
  const own = checkpoint.config;
  const layers = list.layers?.map(({ reference, layer }) => {
    return { config: checkpoints.get(reference)?.config ?? own, layer };
  });
  const config = outputConfig(own, {
    dtype: dominantDtype(operations),
    untied,
    ...(layers !== undefined && { layers }),
  });
  return { config, configText: formatConfig(config, checkpoint.numberSpellings) };
}

/** The dtype of most bytes. */
function dominantDtype(operations: readonly NamedOperation[]): Dtype {
  const elements = new Map<Dtype, number>();
  for (const { dtype, shape } of operations) {
    const count = shape.reduce((product, size) => product * size, 1);
    elements.set(dtype, (elements.get(dtype) ?? 0) + count);
  }
  return [...elements].sort(([, a], [, b]) => b - a)[0]?.[0] ?? 'F32';
}

/** All but the coefficients, which are no model. */
function modelsOf(recipe: Recipe, references: readonly string[]): string[] {
  return references.filter((reference) => reference !== recipe.coefficients);
}

function copiesOf(source: string, references: readonly string[], options: PlanOptions): PlanCopy[] {
  const input = Math.max(0, references.indexOf(source));
  const model = options.models.get(source);
  return companionFiles(model?.checkpoint.files.map(({ path }) => path) ?? []).map((path) => ({ input, path }));
}
