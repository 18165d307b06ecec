import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { CheckpointFiles } from '../engine/index.js';
import { Closure, type LicenceNode } from './closure.js';
import { addClaims, type LicenceStatement, originNode, readStatement } from './licence-reading.js';
import { LicenceStatements } from './licence-statements.service.js';

interface VersionRecord {
  id: string;
  name: string;
  origin: string;
  licence: string | null;
  /** Of a merge. */
  parents: string[];
}

/** A version with what it was made from: versions of the registry, and models that only their names are known of. */
interface Generation {
  name: string;
  /** Oldest claim first; null: it states nothing of its own. */
  licences: (string | null)[];
  parents: string[];
  others: LicenceNode[];
}

export interface VersionClosure {
  closure: Closure;
  /** Every version of the registry in it. */
  versionIds: string[];
}

/** The id of a version, or a model that is not in the registry, with what its files say. */
export type ClosureMember = string | { name: string; files: CheckpointFiles };

/** More than anybody's lineage has; what lies beyond counts as unknown, which asks for a person. */
const mostVersions = 2_000;

/** Gathers all ancestors of versions, whatever says that they are: a merge's inputs, or the `base_model` of a card. */
@Injectable()
export class VersionClosures {
  constructor(
    private readonly database: DataSource,
    private readonly statements: LicenceStatements,
  ) {}

  /** @param members ids of versions, and models that are not in the registry yet */
  async of(members: readonly ClosureMember[]): Promise<VersionClosure> {
    const found = new Map<string, Generation>();
    const foreign = members.filter((member) => typeof member !== 'string');
    for (const { name, files } of foreign) found.set(name, await this.#foreignGeneration(name, files));
    const roots = members.map((member) => (typeof member === 'string' ? member : member.name));
    const bases = [...found.values()].flatMap(({ parents }) => parents);
    let wanted = [...new Set([...roots, ...bases])].filter((id) => !found.has(id));
    while (wanted.length > 0 && found.size < mostVersions) {
      const records = await this.#load(wanted);
      for (const record of records) found.set(record.id, await this.#generation(record));
      wanted = [...new Set(records.flatMap(({ id }) => found.get(id)?.parents ?? []))].filter((id) => !found.has(id));
    }
    const versionIds = [...found.keys()].filter((id) => !foreign.some(({ name }) => name === id));
    return { closure: new Closure(nodesOf(roots, found)), versionIds };
  }

  async #load(ids: readonly string[]): Promise<VersionRecord[]> {
    return this.database.query<VersionRecord[]>(
      `select v.id, m.namespace || '/' || m.name || '@' || v.version as name, v.origin, v.licence,
              array(select p.parent_id from version_parents p where p.version_id = v.id order by p.position) as parents
       from versions v join models m on m.id = v.model_id where v.id = any($1::uuid[]) order by v.id`,
      [ids],
    );
  }

  async #generation({ id, name, origin, licence, parents }: VersionRecord): Promise<Generation> {
    // The label of a merge was worked out from its parents: they speak for themselves.
    if (origin === 'merge') return { name, licences: [null], parents, others: [] };
    return this.#statedGeneration(name, await this.statements.read(id, licence), id);
  }

  async #foreignGeneration(name: string, files: CheckpointFiles): Promise<Generation> {
    return this.#statedGeneration(name, await readStatement(files), null);
  }

  /** @param id null: it comes after every version that there is */
  async #statedGeneration(name: string, { licences, bases }: LicenceStatement, id: string | null): Promise<Generation> {
    const generation: Generation = {
      name,
      licences: licences.length === 0 ? ['unknown'] : licences,
      parents: [],
      others: [],
    };
    for (const base of bases) {
      const version = await this.#findBase(base, id);
      if (version === undefined) generation.others.push(originNode(base));
      else generation.parents.push(version);
    }
    return generation;
  }

  /**
   * The version that a card means by `namespace/name`: the newest one that was there already when the card came, else the
   * first that came later. So the answer does not change with every further version of the base.
   */
  async #findBase(base: string, childId: string | null): Promise<string | undefined> {
    const [, namespace, name, version] = /^([^/@\s]+)\/([^/@\s]+)(?:@([1-9]\d{0,8}))?$/.exec(base) ?? [];
    if (namespace === undefined) return undefined;
    const [row] = await this.database.query<{ id: string }[]>(
      `select v.id from versions v join models m on m.id = v.model_id
         left join versions c on c.id = $3::uuid
       where m.namespace = $1 and m.name = $2 and v.id is distinct from c.id and ($4::int is null or v.version = $4::int)
       order by v.created_at < coalesce(c.created_at, 'infinity') desc,
                case when v.created_at < coalesce(c.created_at, 'infinity') then v.version end desc, v.version limit 1`,
      [namespace, name, childId, version ?? null],
    );
    return row?.id;
  }
}

/** One node a claim, ancestors first. Cards can name each other in a circle; where it closes, the origin is unknown. */
function nodesOf(versionIds: readonly string[], found: ReadonlyMap<string, Generation>): LicenceNode[] {
  const nodes: LicenceNode[] = [];
  const places = new Map<string, number>();
  const open = new Set<string>();
  const add = (node: LicenceNode): number => nodes.push(node) - 1;
  const place = (id: string): number => {
    const known = places.get(id);
    if (known !== undefined) return known;
    const version = found.get(id);
    if (version === undefined || open.has(id))
      return add({ licence: 'unknown', name: version?.name ?? id, parents: [] });
    open.add(id);
    const { name, licences, others } = version;
    const parents = [...version.parents.map(place), ...others.map(add)];
    const last = addClaims({ name, licences, parents }, add);
    open.delete(id);
    places.set(id, last);
    return last;
  };
  for (const id of versionIds) place(id);
  return nodes;
}
