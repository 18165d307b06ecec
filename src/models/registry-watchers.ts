import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

/** Inside the transaction of the change: what a watcher writes is there exactly when the change is. */
export type Watcher<Change> = (manager: EntityManager, change: Change) => Promise<void>;

export interface PointedAlias {
  namespace: string;
  name: string;
  alias: string;
  versionId: string;
}

export interface MadeVersion {
  namespace: string;
  name: string;
  versionId: string;
  version: number;
  digest: string;
  /** The merge that made it. */
  mergeId?: string | undefined;
}

/** Who wants to know of changes of the registry, which itself knows none of them. */
@Injectable()
export class RegistryWatchers {
  readonly #ofAliases: Watcher<PointedAlias>[] = [];
  readonly #ofVersions: Watcher<MadeVersion>[] = [];

  /** An alias was made, or moved to another version; `latest` is not told of. */
  watchAliases(watcher: Watcher<PointedAlias>): void {
    this.#ofAliases.push(watcher);
  }

  watchVersions(watcher: Watcher<MadeVersion>): void {
    this.#ofVersions.push(watcher);
  }

  async tellAlias(manager: EntityManager, pointed: PointedAlias): Promise<void> {
    for (const watcher of this.#ofAliases) await watcher(manager, pointed);
  }

  async tellVersion(manager: EntityManager, made: MadeVersion): Promise<void> {
    for (const watcher of this.#ofVersions) await watcher(manager, made);
  }
}
