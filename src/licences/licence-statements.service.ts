import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { CheckpointFiles } from '../engine/index.js';
import { objectFiles } from '../models/object-files.js';
import { VersionsService } from '../models/versions.service.js';
import { OBJECT_STORE } from '../platform/tokens.js';
import type { ObjectStore } from '../storage/object-store.js';
import { type LicenceStatement, type LicenceText, readLicenceTexts, readStatement } from './licence-reading.js';

/** Versions are immutable, and so is what was read from them. */
const mostRemembered = 1_000;

/** Reads what versions say of their licence. */
@Injectable()
export class LicenceStatements {
  readonly #remembered = new Map<string, LicenceStatement>();

  constructor(
    private readonly database: DataSource,
    private readonly versions: VersionsService,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
  ) {}

  /** @param stated what the registry holds for the version, set when it was completed */
  async read(versionId: string, stated: string | null): Promise<LicenceStatement> {
    const known = this.#remembered.get(versionId);
    if (known) return known;
    const statement = await readStatement(await this.#files(versionId), stated ?? undefined);
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size >= mostRemembered && oldest !== undefined) this.#remembered.delete(oldest);
    this.#remembered.set(versionId, statement);
    return statement;
  }

  /** The licence files of a version, and its NOTICE. */
  async texts(versionId: string): Promise<LicenceText[]> {
    return readLicenceTexts(await this.#files(versionId));
  }

  async #files(versionId: string): Promise<CheckpointFiles> {
    return objectFiles(this.store, await this.versions.listFiles(this.database.manager, versionId));
  }
}
