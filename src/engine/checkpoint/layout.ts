import { EngineError, quote } from '../errors.js';
import { type Dtype, dtypeBits } from './dtype.js';
import { checkName, findTensorBytes, lengthBytes, maxHeaderBytes } from './header.js';

export interface OutputTensor {
  name: string;
  dtype: Dtype;
  shape: readonly number[];
}

export interface PlacedTensor {
  name: string;
  dtype: Dtype;
  shape: number[];
  /** Byte in the file, header included. */
  offset: number;
  bytes: number;
}

export interface ShardFile {
  /** `model.safetensors`, or `model-00001-of-00003.safetensors`. */
  name: string;
  /** The first bytes of the file: length and padded JSON. The tensors follow without a gap. */
  header: Uint8Array;
  /** Size of the whole file. */
  bytes: number;
  /** In the order of their bytes in the file. */
  tensors: PlacedTensor[];
}

export const indexFileName = 'model.safetensors.index.json';
export const singleFileName = 'model.safetensors';

/**
 * Cuts the output into files by MergeKit's rule: a shard is closed before the tensor that would exceed the limit, so a
 * larger tensor is a shard of its own. Between shards the given order is kept.
 *
 * @param shardBytes limit on the tensors' bytes in one file (headers are not counted)
 * @throws EngineError output_tensor_invalid
 */
export function shardFiles(tensors: readonly OutputTensor[], shardBytes: number): ShardFile[] {
  const shards: SizedTensor[][] = [[]];
  let current = 0;
  for (const tensor of sized(tensors)) {
    if (current > 0 && current + tensor.bytes > shardBytes) {
      shards.push([]);
      current = 0;
    }
    shards.at(-1)?.push(tensor);
    current += tensor.bytes;
  }
  return shards.map((shard, index) => place(shardName(index, shards.length), shard));
}

/** The index of a checkpoint of several files: sorted by tensor name, as transformers writes it. */
export function indexJson(shards: readonly ShardFile[]): string {
  const files: [string, string][] = [];
  let totalBytes = 0;
  for (const shard of shards) {
    for (const tensor of shard.tensors) {
      files.push([tensor.name, shard.name]);
      totalBytes += tensor.bytes;
    }
  }
  files.sort(([a], [b]) => (a < b ? -1 : 1));
  const lines = files.map(([name, file]) => `    ${JSON.stringify(name)}: ${JSON.stringify(file)}`);
  return `{\n  "metadata": {\n    "total_size": ${totalBytes}\n  },\n  "weight_map": {\n${lines.join(',\n')}\n  }\n}\n`;
}

interface SizedTensor extends OutputTensor {
  bytes: number;
}

function sized(tensors: readonly OutputTensor[]): SizedTensor[] {
  const names = new Set<string>();
  return tensors.map((tensor) => {
    const { name, dtype, shape } = tensor;
    checkName(name);
    const bytes = findTensorBytes(dtype, shape);
    if (bytes === undefined || name === '__metadata__' || names.has(name)) {
      const problem =
        bytes === undefined ? `has no size: [${shape.join(', ')}] ${dtype}` : 'is reserved or comes twice';
      throw new EngineError('output_tensor_invalid', `output tensor ${quote(name)} ${problem}`, { tensor: name });
    }
    names.add(name);
    return { name, dtype, shape, bytes };
  });
}

function shardName(index: number, count: number): string {
  if (count === 1) return singleFileName;
  const number = (value: number): string => String(value).padStart(5, '0');
  return `model-${number(index + 1)}-of-${number(count)}.safetensors`;
}

function place(name: string, shard: readonly SizedTensor[]): ShardFile {
  // Wide elements first: readers map the file and view a tensor in place, which needs its offset aligned to its elements.
  const ordered = [...shard].sort((a, b) => alignment(b.dtype) - alignment(a.dtype));
  const parts = ['"__metadata__":{"format":"pt"}'];
  let end = 0;
  const begins: number[] = [];
  for (const tensor of ordered) {
    begins.push(end);
    const begin = end;
    end += tensor.bytes;
    // Written as text: a tensor may be called "__proto__".
    parts.push(
      `${JSON.stringify(tensor.name)}:{"dtype":"${tensor.dtype}","shape":[${tensor.shape.join(',')}],"data_offsets":[${begin},${end}]}`,
    );
  }
  const header = encodeHeader(`{${parts.join(',')}}`);
  const tensors = ordered.map(({ name: tensorName, dtype, shape, bytes }, index) => ({
    name: tensorName,
    dtype,
    shape: [...shape],
    offset: header.byteLength + (begins[index] ?? 0),
    bytes,
  }));
  return { name, header, bytes: header.byteLength + end, tensors };
}

function alignment(dtype: Dtype): number {
  return Math.max(1, dtypeBits(dtype) / 8);
}

function encodeHeader(json: string): Uint8Array {
  const text = Buffer.from(json);
  const paddedBytes = Math.ceil(text.byteLength / 8) * 8;
  if (paddedBytes > maxHeaderBytes) {
    throw new EngineError(
      'output_tensor_invalid',
      `the output's header would have ${paddedBytes} bytes: use smaller shards`,
    );
  }
  const header = Buffer.alloc(lengthBytes + paddedBytes, ' ');
  header.writeBigUInt64LE(BigInt(paddedBytes), 0);
  text.copy(header, lengthBytes);
  return header;
}
