import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { VersionsService } from '../models/versions.service.js';
import { OBJECT_STORE } from '../platform/tokens.js';
import type { ObjectStore } from '../storage/object-store.js';
import type { PlannedFile } from './publication-plan.js';

/** Where the bytes of a publication's files are. */
export class FileSource {
  readonly #keys: ReadonlyMap<string, string>;

  constructor(
    private readonly store: ObjectStore,
    files: readonly { path: string; objectKey: string }[],
  ) {
    this.#keys = new Map(files.map(({ path, objectKey }) => [path, objectKey]));
  }

  of(file: PlannedFile): { key: string } | { bytes: Buffer } {
    if (file.text !== undefined) return { bytes: Buffer.from(file.text) };
    const key = this.#keys.get(file.path);
    if (key === undefined) throw new Error(`the version has no file ${file.path}`);
    return { key };
  }

  /** The first bytes, at most so many. */
  async read(file: PlannedFile, bytesAtMost: number): Promise<Buffer> {
    const source = this.of(file);
    const length = Math.min(bytesAtMost, file.bytes);
    if ('bytes' in source) return source.bytes.subarray(0, length);
    const chunks: Buffer[] = [];
    for await (const chunk of await this.store.read(source.key, { offset: 0, length })) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  }
}

@Injectable()
export class FileSources {
  constructor(
    private readonly database: DataSource,
    private readonly versions: VersionsService,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
  ) {}

  async get(versionId: string): Promise<FileSource> {
    return new FileSource(this.store, await this.versions.listFiles(this.database.manager, versionId));
  }
}
