import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { VersionsService } from '../models/versions.service.js';
import type { VersionPath } from '../models/models.schema.js';
import { mermaidPicture, type PictureEdge, type PictureNode, svgPicture } from './lineage-picture.js';
import type { Lineage, LineageEdge, LineageNode } from './lineage.schema.js';

/** Enough for a card; further back, the versions' own cards tell. */
const cardAncestors = 30;

/** Where a version comes from, and what was made of it: a graph, because a merge has many parents. */
@Injectable()
export class LineageService {
  constructor(
    private readonly database: DataSource,
    private readonly versions: VersionsService,
  ) {}

  /** @param limit most ancestors, and most descendants @throws AppError model_not_found, version_not_found */
  async get(path: VersionPath, limit: number): Promise<Lineage> {
    const { id } = await this.versions.get(path);
    const up = await this.#reach([id], 'parent_id', 'version_id', limit + 1);
    const down = await this.#reach([id], 'version_id', 'parent_id', limit + 1);
    const [ancestors, descendants] = [up.slice(0, limit), down.slice(0, limit)];
    const ids = [...new Set([...ancestors, id, ...descendants])];
    return {
      version: id,
      ...(await this.#graph(ids)),
      ancestors,
      descendants,
      truncated: up.length > limit || down.length > limit,
    };
  }

  /** The graph above a version that is about to be made, as mermaid text: the same for the same parents. */
  async pictureOfParents(
    label: string,
    parents: readonly { versionId: string; role: 'base' | 'model' }[],
  ): Promise<string> {
    const ids = parents.map(({ versionId }) => versionId);
    const further = await this.#reach(ids, 'parent_id', 'version_id', cardAncestors);
    const { nodes, edges } = await this.#graph([...new Set([...ids, ...further])]);
    const own = parents.map(({ versionId: parent, role }): PictureEdge => ({ parent, child: '', role }));
    const picture = [...nodes.map(pictureNode), { id: '', label, highlighted: true }];
    return mermaidPicture(picture, [...edges, ...own]);
  }

  mermaid(lineage: Lineage): string {
    return mermaidPicture(picturedNodes(lineage), lineage.edges);
  }

  svg(lineage: Lineage): string {
    return svgPicture(picturedNodes(lineage), lineage.edges);
  }

  /**
   * Everything that is reached from `ids` over the parents' table, nearest first, without them. UNION keeps each
   * version once, so that a graph of many ways costs no more than its nodes, and a cycle, were there one, ends.
   */
  async #reach(ids: readonly string[], to: string, from: string, limit: number): Promise<string[]> {
    const rows = await this.database.query<{ id: string }[]>(
      `with recursive reached (id) as (
         select unnest($1::uuid[])
         union
         select p.${to} from reached r join version_parents p on p.${from} = r.id)
       select id from reached where not (id = any($1::uuid[])) limit $2`,
      [ids, limit],
    );
    return rows.map(({ id }) => id);
  }

  /** Nodes in the order in which they were made, edges in the order of the recipes: two calls give the same text. */
  async #graph(ids: readonly string[]): Promise<{ nodes: LineageNode[]; edges: LineageEdge[] }> {
    const nodes = await this.database.query<LineageNode[]>(
      `select v.id as "versionId", m.namespace || '/' || m.name || '@' || v.version as name, m.namespace,
              m.name as model, v.version, v.origin,
              case when v.source_repository like 's3://%' then '' else 'hf:' end
                || v.source_repository || '@' || v.source_commit as source, v.digest, v.merge_id as "mergeId",
              (select g.summary ->> 'method' from merges g where g.id = v.merge_id) as method
       from versions v join models m on m.id = v.model_id
       where v.id = any($1::uuid[]) order by v.created_at, m.namespace, m.name, v.version`,
      [ids],
    );
    const edges = await this.database.query<LineageEdge[]>(
      `select p.parent_id as parent, p.version_id as child, p.role, p.reference
       from version_parents p join versions v on v.id = p.version_id
       where p.version_id = any($1::uuid[]) and p.parent_id = any($1::uuid[])
       order by v.created_at, p.version_id, p.position`,
      [ids],
    );
    return { nodes, edges };
  }
}

function picturedNodes({ nodes, version }: Lineage): PictureNode[] {
  return nodes.map((node) => ({ ...pictureNode(node), highlighted: node.versionId === version }));
}

function pictureNode({ versionId: id, name: label, method }: LineageNode): PictureNode {
  return { id, label, ...(method !== null && { note: method }) };
}
