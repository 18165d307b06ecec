import { type CheckpointFiles, EngineError } from '../engine/index.js';
import { AppError } from '../errors.js';
import type { SourceFile } from './import-plan.js';
import type { RangeReader } from './ranged-body.js';

/** Above any tokenizer; what is larger and no weights is not read into memory. */
const maxTextBytes = 64 * 2 ** 20;
/** As the format has it, and more than any model needs. */
const maxHeaderBytes = 100_000_000;
/** Length of the header, as safetensors begin. */
const lengthBytes = 8;

/**
 * A model that is far away as the folder that the engine inspects and plans with: headers and small files, each read
 * once. Not one byte of a tensor is fetched.
 */
export class RemoteCheckpoint<File extends SourceFile> implements CheckpointFiles {
  readonly #files: ReadonlyMap<string, File>;
  readonly #texts = new Map<string, Promise<Buffer>>();

  /** @param readerOf each file's reader */
  constructor(
    files: readonly File[],
    private readonly readerOf: (file: File) => RangeReader,
  ) {
    this.#files = new Map(files.map((file) => [file.path, file]));
  }

  list(): Promise<{ path: string; bytes: number }[]> {
    return Promise.resolve([...this.#files.values()].map(({ path, bytes }) => ({ path, bytes })));
  }

  async read(path: string, offset: number, length: number): Promise<Buffer> {
    const file = this.#files.get(path);
    if (!file) throw new EngineError('file_missing', `${path}: no such file`, { file: path });
    if (offset + length > file.bytes) {
      throw new EngineError('file_truncated', `${path}: ends at byte ${file.bytes}, expected ${offset + length}`, {
        file: path,
      });
    }
    if (length === 0) return Buffer.alloc(0);
    if (path.endsWith('.safetensors')) return this.#readHeader(file, offset, length);
    return (await this.#text(file)).subarray(offset, offset + length);
  }

  /** The engine reads ahead, where reading is cheap. What it reads beyond the header, which is weights, is left empty. */
  async #readHeader(file: File, offset: number, length: number): Promise<Buffer> {
    const reader = this.readerOf(file);
    if (offset > 0 || length <= lengthBytes) return reader.read(offset, length);
    const bytes = Buffer.alloc(length);
    (await reader.read(0, lengthBytes)).copy(bytes);
    const headerEnd = BigInt(lengthBytes) + bytes.readBigUInt64LE(0);
    // A length that no file can have is refused by whoever parses it; what it would reach over is no header.
    if (headerEnd > BigInt(Math.min(file.bytes, maxHeaderBytes))) return bytes;
    const end = Math.min(Number(headerEnd), length);
    if (end > lengthBytes) (await reader.read(lengthBytes, end - lengthBytes)).copy(bytes, lengthBytes);
    return bytes;
  }

  #text(file: File): Promise<Buffer> {
    if (file.bytes > maxTextBytes) {
      throw new AppError('body_too_large', `${file.path}: ${file.bytes} bytes (at most ${maxTextBytes})`);
    }
    const known = this.#texts.get(file.path);
    const text = known ?? this.readerOf(file).read(0, file.bytes);
    this.#texts.set(file.path, text);
    // What failed must not be remembered.
    text.catch(() => this.#texts.delete(file.path));
    return text;
  }
}
