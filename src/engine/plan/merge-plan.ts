import type { Dtype } from '../checkpoint/dtype.js';
import type { CopyOperation } from '../execution/task.js';
import type { MergeOperation } from '../methods/method.js';
import type { ReportMode } from '../report/report-mode.js';

/** Raised whenever the same plan would give other bytes; part of every plan's digest. */
export const ENGINE_VERSION = 5;

export interface PlanWarning {
  code: string;
  message: string;
  /** RFC 6901, into the recipe. */
  pointer?: string;
}

/** One model of the recipe, in order of first mention. */
export interface PlanInput {
  reference: string;
  /** What pins the bytes: a version's digest in the service, files with sizes and times on the command line. */
  digest: string;
}

export interface PlanTensor {
  name: string;
  dtype: Dtype;
  shape: number[];
  /** Byte in the shard file, header included. */
  offset: number;
  bytes: number;
  operation: MergeOperation | CopyOperation;
}

export interface PlanShard {
  file: string;
  bytes: number;
  /** The file's first bytes (length and JSON), base64. */
  header: string;
  tensors: PlanTensor[];
}

/** A file of an input that the result carries unchanged. */
export interface PlanCopy {
  input: number;
  path: string;
}

export interface DroppedTensor {
  input: number;
  tensor: string;
  reason: string;
}

export interface PlanCost {
  /** All reads of weights, every pass over a tensor that does not stay in memory counted. */
  readBytes: number;
  writeBytes: number;
  /** Peak of the merging process, estimated for the default number of threads. */
  memoryBytes: number;
}

/**
 * Everything a merge will do, as plain data: which bytes are read, what is computed from them, where it goes. Equal
 * digests mean equal bytes. Shards are independent of each other and are what machines share out.
 */
export interface MergePlan {
  engine: number;
  digest: string;
  /** Canonical recipe, defaults filled in. */
  recipe: object;
  seed: number;
  shardBytes: number;
  report: ReportMode;
  /** NaN in the result is no reason to refuse it. */
  allowNan: boolean;
  inputs: PlanInput[];
  shards: PlanShard[];
  /** model.safetensors.index.json where there is more than one shard. */
  index?: string;
  /** config.json of the result; empty when the models have none. */
  config: Record<string, unknown>;
  /** The same as it is written: `30.0` is not `30` to the programs that read it, and JSON has no Infinity. */
  configText?: string;
  copies: PlanCopy[];
  dropped: DroppedTensor[];
  warnings: PlanWarning[];
  parameterCount: number;
  /** Tensors by what happens to them. */
  outcome: { merged: number; copied: number; dropped: number };
  cost: PlanCost;
}
