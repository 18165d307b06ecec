import { join } from 'node:path';
import type { FloatDtype } from '../../src/engine/checkpoint/dtype.js';
import { type CheckpointRequest, SMALL, TINY, tinyCheckpoint, writeCheckpoint } from './checkpoints.js';
import type { FamilyName, ModelSizes } from './families.js';
import type { ModelSet } from './recipes.js';
import type { StoredTensor } from './safetensors.js';

export interface WrittenModelSet extends ModelSet {
  name: string;
  /** The tensors of each model, by the name that recipes use. */
  models: Map<string, Map<string, StoredTensor>>;
}

interface SetRequest {
  name: string;
  family: FamilyName;
  sizes: ModelSizes;
  /** Of the base and of three experts. */
  dtypes: readonly [FloatDtype, FloatDtype, FloatDtype, FloatDtype];
  tied?: readonly [boolean, boolean, boolean, boolean];
  shards?: number;
  stackable: boolean;
}

const same = (dtype: FloatDtype): SetRequest['dtypes'] => [dtype, dtype, dtype, dtype];

const requests: readonly SetRequest[] = [
  { name: 'llama-f32', family: 'llama', sizes: TINY, dtypes: same('F32'), stackable: true },
  { name: 'llama-bf16', family: 'llama', sizes: SMALL, dtypes: same('BF16'), shards: 3, stackable: true },
  {
    name: 'llama-mixed',
    family: 'llama',
    sizes: TINY,
    dtypes: ['BF16', 'F32', 'F16', 'BF16'],
    tied: [false, true, false, true],
    stackable: true,
  },
  { name: 'mistral-f16', family: 'mistral', sizes: { ...TINY, layers: 5 }, dtypes: same('F16'), stackable: true },
  // Qwen2 lists its layers' types: MergeKit cannot change their number.
  {
    name: 'qwen2-bf16-tied',
    family: 'qwen2',
    sizes: TINY,
    dtypes: same('BF16'),
    tied: [true, true, true, true],
    stackable: false,
  },
  { name: 'qwen2-f32', family: 'qwen2', sizes: SMALL, dtypes: same('F32'), shards: 2, stackable: false },
  { name: 'gpt2-f32', family: 'gpt2', sizes: TINY, dtypes: same('F32'), stackable: false },
  { name: 'llama-f64', family: 'llama', sizes: TINY, dtypes: same('F64'), stackable: true },
];

/** Shapes that no program could load as a model. */
const oddRequests: readonly SetRequest[] = [
  { name: 'odd-f32', family: 'odd', sizes: TINY, dtypes: same('F32'), stackable: true },
  { name: 'odd-bf16', family: 'odd', sizes: TINY, dtypes: same('BF16'), shards: 2, stackable: true },
];

/**
 * Writes models for generated recipes below `root`: of each set a base, two experts fine-tuned from it and a stranger.
 * Recipes name them relative to `root`.
 */
export function writeModelSets(root: string, { odd = false } = {}): WrittenModelSet[] {
  return [...requests, ...(odd ? oddRequests : [])].map((request, index) =>
    writeSet(root, request, 1000 * (index + 1)),
  );
}

function writeSet(root: string, request: SetRequest, seed: number): WrittenModelSet {
  const { name, family, sizes, dtypes, shards = 1, tied = [false, false, false, false] } = request;
  const common = (k: 0 | 1 | 2 | 3): CheckpointRequest => ({
    seed: seed + k,
    family,
    sizes,
    dtype: dtypes[k],
    tied: tied[k],
  });
  const base = tinyCheckpoint(common(0));
  const checkpoints = {
    base,
    'expert-a': tinyCheckpoint({ ...common(1), parent: base }),
    'expert-b': tinyCheckpoint({ ...common(2), parent: base, change: 0.01 }),
    stranger: tinyCheckpoint(common(3)),
  };
  const models = new Map<string, Map<string, StoredTensor>>();
  for (const [model, checkpoint] of Object.entries(checkpoints)) {
    writeCheckpoint(join(root, name, model), checkpoint, shards);
    models.set(`${name}/${model}`, checkpoint.tensors);
  }
  const [first = '', ...experts] = models.keys();
  const narrow = dtypes.some((dtype) => dtype === 'BF16' || dtype === 'F16');
  return { name, models, base: first, experts, layers: sizes.layers, stackable: request.stackable, narrow };
}
