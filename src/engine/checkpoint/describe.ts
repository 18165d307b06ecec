import type { Checkpoint } from './checkpoint.js';
import type { Dtype } from './dtype.js';

export interface CheckpointDescription {
  architecture?: string;
  modelType?: string;
  quantisation?: string;
  parameterCount: number;
  tensorBytes: number;
  dtypes: { dtype: Dtype; tensors: number; bytes: number }[];
  shards: { file: string; bytes: number; tensors: number }[];
  tensors: { name: string; dtype: Dtype; shape: number[]; file: string; bytes: number }[];
  warnings: string[];
}

/** What `inspect` shows, as plain JSON: the largest share of types first, tensors in the order of their files. */
export function describeCheckpoint(checkpoint: Checkpoint): CheckpointDescription {
  const { architecture, modelType, quantisation, parameterCount, warnings } = checkpoint;
  const dtypes = new Map<Dtype, { dtype: Dtype; tensors: number; bytes: number }>();
  const perShard = new Map<string, number>();
  let tensorBytes = 0;
  const tensors: CheckpointDescription['tensors'] = [];
  for (const { name, dtype, shape, file, bytes } of checkpoint.tensors.values()) {
    const sum = dtypes.get(dtype) ?? { dtype, tensors: 0, bytes: 0 };
    sum.tensors += 1;
    sum.bytes += bytes;
    dtypes.set(dtype, sum);
    perShard.set(file, (perShard.get(file) ?? 0) + 1);
    tensorBytes += bytes;
    tensors.push({ name, dtype, shape: [...shape], file, bytes });
  }
  const sizes = new Map(checkpoint.files.map(({ path, bytes }) => [path, bytes]));
  return {
    ...(architecture !== undefined && { architecture }),
    ...(modelType !== undefined && { modelType }),
    ...(quantisation !== undefined && { quantisation }),
    parameterCount,
    tensorBytes,
    dtypes: [...dtypes.values()].sort((a, b) => b.bytes - a.bytes),
    shards: checkpoint.shards.map((file) => ({
      file,
      bytes: sizes.get(file) ?? 0,
      tensors: perShard.get(file) ?? 0,
    })),
    tensors,
    warnings: [...warnings],
  };
}
