import { Inject, Injectable } from '@nestjs/common';
import { FRONT_MATTER_BYTES } from '../licences/front-matter.js';
import { LicencesService } from '../licences/licences.service.js';
import type { VersionPath } from '../models/models.schema.js';
import { VersionsService } from '../models/versions.service.js';
import { OBJECT_STORE } from '../platform/tokens.js';
import type { ObjectStore } from '../storage/object-store.js';
import { overlayPlace, overlayText } from './card-overlay.js';

export interface OpenCard {
  bytes: number;
  content: AsyncIterable<Uint8Array>;
}

const cardFile = 'README.md';

/** Model cards as they are read today: what is stored, and what is known since. */
@Injectable()
export class CardsService {
  constructor(
    private readonly versions: VersionsService,
    private readonly licences: LicencesService,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
  ) {}

  /** @throws AppError model_not_found, version_not_found, file_not_found */
  async open(path: VersionPath): Promise<OpenCard> {
    const { objectKey, bytes } = await this.versions.getFile(path, cardFile);
    const { approval } = await this.licences.assess(`${path.namespace}/${path.name}@${path.version}`);
    const overlay = Buffer.from(overlayText({ approval }));
    if (overlay.length === 0) return { bytes, content: await this.store.read(objectKey) };
    return { bytes: bytes + overlay.length + 2, content: this.#overlaid(objectKey, bytes, overlay) };
  }

  async *#overlaid(objectKey: string, bytes: number, overlay: Buffer): AsyncGenerator<Uint8Array> {
    const length = Math.min(bytes, FRONT_MATTER_BYTES);
    const head =
      length === 0 ? Buffer.alloc(0) : await collect(await this.store.read(objectKey, { offset: 0, length }));
    const place = overlayPlace(head);
    yield head.subarray(0, place);
    yield Buffer.concat([Buffer.from('\n'), overlay, Buffer.from('\n')]);
    yield head.subarray(place);
    if (bytes > length) yield* await this.store.read(objectKey, { offset: length, length: bytes - length });
  }
}

async function collect(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks);
}
