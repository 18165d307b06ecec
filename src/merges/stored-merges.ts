import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { type StoredFile, VersionsService } from '../models/versions.service.js';
import type { TensorReport } from '../engine/index.js';
import type { MergePlan } from './engine.js';
import type { Plan } from './merges.schema.js';
import { type SettledPlan, settled } from './version-inputs.js';

/** What whoever carries out a merge needs to know of it. None of it changes while the merge runs. */
export interface StoredMerge {
  id: string;
  namespace: string;
  name: string;
  alias: string | null;
  createdBy: string;
  pinnedRecipe: object;
  plan: MergePlan;
  summary: SettledPlan;
  /** Files of each input, by path, in the order of the plan's inputs. */
  files: Map<string, StoredFile>[];
}

interface StoredRecord {
  output_namespace: string;
  output_name: string;
  output_alias: string | null;
  created_by: string;
  pinned_recipe: object;
  plan: MergePlan;
  summary: Plan;
}

/** A plan can have megabytes, and the shards of a merge come one after the other: the last few are kept. */
const keptMerges = 3;

@Injectable()
export class StoredMerges {
  readonly #kept = new Map<string, StoredMerge>();

  constructor(
    private readonly database: DataSource,
    private readonly versions: VersionsService,
  ) {}

  async get(id: string): Promise<StoredMerge> {
    const known = this.#kept.get(id);
    // A retry may have planned anew, so the digest is asked for; the plan itself is read once.
    if (known && known.plan.digest === (await this.#digest(id))) return known;
    const [row] = await this.database.query<StoredRecord[]>(
      `select output_namespace, output_name, output_alias, created_by, pinned_recipe, plan, summary
       from merges where id = $1`,
      [id],
    );
    if (!row) throw new Error(`merge ${id} is not there`);
    const summary = settled(row.summary);
    const merge = {
      id,
      namespace: row.output_namespace,
      name: row.output_name,
      alias: row.output_alias,
      createdBy: row.created_by,
      pinnedRecipe: row.pinned_recipe,
      plan: row.plan,
      summary,
      files: await this.#files(summary),
    };
    this.#kept.set(id, merge);
    for (const oldest of [...this.#kept.keys()].slice(0, -keptMerges)) this.#kept.delete(oldest);
    return merge;
  }

  /** The weights of a merge whose shards are done. */
  async listShardFiles(id: string): Promise<StoredFile[]> {
    const rows = await this.database.query<{ file_name: string; sha256: string; bytes: string; object_key: string }[]>(
      `select file_name, sha256, bytes, object_key from merge_shards where merge_id = $1 and state = 'done' order by index`,
      [id],
    );
    return rows.map(({ file_name: path, sha256, bytes, object_key: objectKey }) => {
      return { path, sha256, bytes: Number(bytes), objectKey };
    });
  }

  /** What a merge did to each tensor, in the order of its shards. */
  async listReports(id: string): Promise<TensorReport[]> {
    const rows = await this.database.query<{ reports: TensorReport[] | null }[]>(
      'select reports from merge_shards where merge_id = $1 order by index',
      [id],
    );
    return rows.flatMap(({ reports }) => reports ?? []);
  }

  async #digest(id: string): Promise<string | undefined> {
    const [row] = await this.database.query<{ plan_digest: string }[]>('select plan_digest from merges where id = $1', [
      id,
    ]);
    return row?.plan_digest;
  }

  async #files({ inputs }: SettledPlan): Promise<Map<string, StoredFile>[]> {
    const all: Map<string, StoredFile>[] = [];
    for (const { versionId } of inputs) {
      const files = await this.versions.listFiles(this.database.manager, versionId);
      all.push(new Map(files.map((file) => [file.path, file])));
    }
    return all;
  }
}
