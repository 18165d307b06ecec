import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Config } from '../config.js';
import { AppError } from '../errors.js';
import type { Commit } from '../http/effects.js';
import { packageRoot } from '../package-root.js';
import type { Logger } from '../platform/logger.js';
import { CONFIG, LOGGER } from '../platform/tokens.js';
import { FolderUpload } from './folder-upload.service.js';
import type { ModelPath } from './models.schema.js';
import { ModelsService } from './models.service.js';

const namespace = 'samples';
const first = 'base';
const folder = join(packageRoot, 'samples');

const descriptions: Record<string, string> = {
  base: 'A tiny Llama that copies, shifts, reverses and sorts sequences of 16 symbols, none of it well.',
  reverse: 'samples/base, trained further on reversing.',
  sort: 'samples/base, trained further on sorting.',
  light: 'samples/base, trained a little further.',
};

/** Gives an empty service the sample models, so that every example works. */
@Injectable()
export class Samples implements OnApplicationBootstrap {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly database: DataSource,
    private readonly models: ModelsService,
    private readonly upload: FolderUpload,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const serves = this.config.role === 'all' || this.config.role === 'api';
    if (!serves || !this.config.samples || (await this.#isInUse())) return;
    for (const name of await sampleNames()) {
      if (await this.#add(name)) this.logger.info({ model: `${namespace}/${name}` }, 'sample model added');
    }
  }

  /** Whether somebody has models already. Samples alone do not count: a start may have been cut off between two. */
  async #isInUse(): Promise<boolean> {
    const others = await this.database.query<unknown[]>('select 1 from models where namespace <> $1 limit 1', [
      namespace,
    ]);
    return others.length > 0;
  }

  async #add(name: string): Promise<boolean> {
    const path = { namespace, name };
    await this.models.ensure(this.database.manager, { ...path, description: descriptions[name] ?? '' });
    if ((await this.models.get(path)).latestVersion !== null) return false;
    try {
      await this.upload.add(path, join(folder, name), namespace, this.#asFirstVersion(path));
      return true;
    } catch (error) {
      if (error instanceof AppError && error.code === 'model_exists') return false;
      throw error;
    }
  }

  /** Several processes may start on one empty database; each sample shall have one version all the same. */
  #asFirstVersion<T>(path: ModelPath): Commit<T> {
    return (work) =>
      this.database.transaction(async (manager) => {
        const [model] = await manager.query<{ next_version: number }[]>(
          'select next_version from models where namespace = $1 and name = $2 for update',
          [path.namespace, path.name],
        );
        if (model?.next_version !== 1) throw new AppError('model_exists', 'Another process added the sample.');
        return work(manager);
      });
  }
}

/** Folders with a model in them, the one that the others were trained from first. */
async function sampleNames(): Promise<string[]> {
  const entries = await readdir(folder).catch(() => []);
  const names = entries.filter((name) => existsSync(join(folder, name, 'config.json')));
  return names.sort((a, b) => Number(b === first) - Number(a === first) || (a < b ? -1 : 1));
}
