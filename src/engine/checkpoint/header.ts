import { EngineError, quote } from '../errors.js';
import type { EngineErrorCode } from '../errors.js';
import { type Dtype, dtypeBits, findByteLength, isDtype } from './dtype.js';
import { decodeJsonText, JsonError, type JsonProblem, JsonScanner } from './json-scanner.js';

export interface TensorEntry {
  name: string;
  dtype: Dtype;
  shape: number[];
  /** Bytes, counted from the end of the header; `end` is exclusive. */
  begin: number;
  end: number;
}

export interface SafetensorsHeader {
  metadata: Map<string, string>;
  /** In the order of their bytes in the file. */
  tensors: TensorEntry[];
  /** Where the tensors' bytes begin: 8 + the header's length. */
  dataStart: number;
}

/** The length in front of the header. */
export const lengthBytes = 8;
/** The reference implementation's own limit. */
export const maxHeaderBytes = 100_000_000;
/** The largest published file seen has 497,000. */
export const maxTensors = 1_000_000;
export const maxRank = 8;
export const maxNameBytes = 1024;

const metadataKey = '__metadata__';
const lfsPointer = 'version https://git-lfs';

const codes: Record<JsonProblem, EngineErrorCode> = {
  encoding: 'header_not_utf8',
  syntax: 'header_not_json',
  type: 'header_entry_invalid',
  depth: 'header_not_json',
  duplicate_key: 'header_duplicate_key',
  number: 'header_number_invalid',
};

/**
 * How many bytes of JSON follow the first eight, from those eight (more may be given).
 * @throws EngineError header_truncated, header_too_large, file_is_lfs_pointer
 */
export function readHeaderLength(start: Uint8Array, fileBytes: number): number {
  if (fileBytes < lengthBytes || start.byteLength < lengthBytes) {
    throw new EngineError('header_truncated', `a safetensors file has at least 8 bytes, this one has ${fileBytes}`);
  }
  if (Buffer.from(start.buffer, start.byteOffset, start.byteLength).toString('latin1').startsWith(lfsPointer)) {
    throw new EngineError(
      'file_is_lfs_pointer',
      'this is a Git LFS pointer, not the file it points to: run `git lfs pull`',
    );
  }
  const length = new DataView(start.buffer, start.byteOffset).getBigUint64(0, true);
  if (length > BigInt(maxHeaderBytes)) {
    throw new EngineError(
      'header_too_large',
      `header of ${length} bytes (at most ${maxHeaderBytes}), or no safetensors file`,
    );
  }
  if (lengthBytes + Number(length) > fileBytes) {
    throw new EngineError('header_truncated', `header of ${length} bytes in a file of ${fileBytes} bytes`);
  }
  return Number(length);
}

/**
 * Reads a header as strictly as the format is written down, so that no two programs can read the same file differently:
 * every key once, every byte of the file in exactly one tensor.
 *
 * @param bytes the first eight bytes of the file and the JSON that follows; more may be given
 * @param fileBytes size of the whole file
 * @throws EngineError with a `header_...` code; never anything else, whatever the bytes
 */
export function parseHeader(bytes: Uint8Array, fileBytes: number): SafetensorsHeader {
  const length = readHeaderLength(bytes, fileBytes);
  const dataStart = lengthBytes + length;
  if (bytes.byteLength < dataStart) {
    throw new EngineError(
      'header_truncated',
      `header of ${length} bytes, of which ${bytes.byteLength - lengthBytes} came`,
    );
  }
  const metadata = new Map<string, string>();
  const tensors: TensorEntry[] = [];
  try {
    const scanner = new JsonScanner(decodeJsonText(bytes.subarray(lengthBytes, dataStart)));
    scanner.object((name) => {
      if (name === metadataKey) readMetadata(scanner, metadata);
      else tensors.push(readEntry(scanner, name));
      if (tensors.length > maxTensors) {
        throw new EngineError('header_too_many_tensors', `more than ${maxTensors} tensors`);
      }
    });
    scanner.end();
  } catch (error) {
    if (error instanceof JsonError) throw new EngineError(codes[error.problem], `header: ${error.message}`);
    throw error;
  }
  // An empty tensor shares its offset with the one behind it: it has to come first.
  tensors.sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkCoverage(tensors, fileBytes - dataStart);
  return { metadata, tensors, dataStart };
}

function readMetadata(scanner: JsonScanner, metadata: Map<string, string>): void {
  try {
    scanner.object((key) => metadata.set(key, scanner.string()));
  } catch (error) {
    if (!(error instanceof JsonError) || error.problem !== 'type') throw error;
    throw new EngineError('header_metadata_invalid', `${metadataKey} must map strings to strings: ${error.message}`);
  }
}

function readEntry(scanner: JsonScanner, name: string): TensorEntry {
  checkName(name);
  let dtype: string | undefined;
  let shape: number[] | undefined;
  let offsets: number[] | undefined;
  scanner.object((key) => {
    if (key === 'dtype') dtype = scanner.string();
    else if (key === 'shape')
      shape = readCounts(scanner, maxRank, () => refuseShape(name, `has more than ${maxRank} dimensions`));
    else if (key === 'data_offsets') offsets = readCounts(scanner, 2, () => refuseOffsets(name, 'must be two'));
    else refuseEntry(name, `unknown key ${quote(key)}`);
  });
  if (dtype === undefined || shape === undefined || offsets === undefined) {
    return refuseEntry(name, 'needs dtype, shape and data_offsets');
  }
  if (!isDtype(dtype)) {
    throw new EngineError('header_dtype_unknown', `tensor ${quote(name)}: unknown dtype ${quote(dtype)}`, {
      tensor: name,
    });
  }
  const [begin, end] = offsets;
  if (begin === undefined || end === undefined) return refuseOffsets(name, 'must be two');
  if (begin > end) return refuseOffsets(name, `begin ${begin} after end ${end}`);
  const bytes = findTensorBytes(dtype, shape);
  if (bytes === undefined) {
    return refuseShape(
      name,
      `[${shape.join(', ')}] of ${dtypeBits(dtype)} bits is not a countable number of whole bytes`,
    );
  }
  if (bytes !== end - begin) {
    return refuseShape(name, `[${shape.join(', ')}] ${dtype} needs ${bytes} bytes, its offsets have ${end - begin}`);
  }
  return { name, dtype, shape, begin, end };
}

function readCounts(scanner: JsonScanner, most: number, refuse: () => never): number[] {
  const counts: number[] = [];
  scanner.array(() => {
    counts.push(scanner.count());
    if (counts.length > most) refuse();
  });
  return counts;
}

/** How many elements a shape has. Undefined when no integer up to 2^53-1 counts them. */
export function findElementCount(shape: readonly number[]): number | undefined {
  let count = 1;
  for (const size of shape) {
    count *= size;
    // Also refuses what a later 0 would hide, as a checked multiplication does.
    if (!Number.isSafeInteger(count)) return undefined;
  }
  return count;
}

export function findTensorBytes(dtype: Dtype, shape: readonly number[]): number | undefined {
  const elements = findElementCount(shape);
  return elements === undefined ? undefined : findByteLength(dtype, elements);
}

/** @throws EngineError header_name_invalid */
export function checkName(name: string): void {
  const tooLong =
    name.length > maxNameBytes || (name.length * 3 > maxNameBytes && Buffer.byteLength(name) > maxNameBytes);
  if (name === '' || tooLong || name.includes('\0')) {
    throw new EngineError(
      'header_name_invalid',
      `tensor name ${quote(name)}: must be 1 to ${maxNameBytes} bytes, without NUL`,
    );
  }
}

/** The format forbids holes and overlaps: bytes that belong to no tensor can hold anything, another file included. */
function checkCoverage(tensors: readonly TensorEntry[], dataBytes: number): void {
  let reached = 0;
  for (const { name, begin, end } of tensors) {
    if (begin !== reached) {
      refuseOffsets(name, `begin at ${begin}, but the tensor before ends at ${reached}`);
    }
    reached = end;
  }
  if (reached !== dataBytes) {
    throw new EngineError(
      'header_offsets_invalid',
      `the tensors end at byte ${reached} of the data, the file has ${dataBytes} bytes of data`,
    );
  }
}

function refuseEntry(tensor: string, problem: string): never {
  throw new EngineError('header_entry_invalid', `tensor ${quote(tensor)}: ${problem}`, { tensor });
}

function refuseShape(tensor: string, problem: string): never {
  throw new EngineError('header_shape_invalid', `tensor ${quote(tensor)}: shape ${problem}`, { tensor });
}

function refuseOffsets(tensor: string, problem: string): never {
  throw new EngineError('header_offsets_invalid', `tensor ${quote(tensor)}: data_offsets ${problem}`, { tensor });
}
