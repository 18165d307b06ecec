import type { LineageEdge, LineageNode } from '../lineage/lineage.schema.js';

type DrawnNode = Pick<LineageNode, 'versionId' | 'name' | 'method'>;

/** What of a lineage is drawn. */
export interface DrawnLineage {
  /** Id of the version on top. */
  version: string;
  nodes: readonly DrawnNode[];
  edges: readonly Pick<LineageEdge, 'parent' | 'child' | 'role'>[];
}

/** The version on top, its parents below it; a version that two of them share is shown twice. */
export function lineageTree({ version, nodes, edges }: DrawnLineage): string {
  const byId = new Map(nodes.map((node) => [node.versionId, node]));
  const label = ({ name, method }: DrawnNode): string => name + (method === null ? '' : ` (${method})`);
  const below = (id: string, lead: string): string => {
    const parents = edges.filter(({ child }) => child === id);
    return parents
      .map(({ parent, role }, at) => {
        const node = byId.get(parent);
        if (node === undefined) return '';
        const isEnd = at === parents.length - 1;
        const line = `${lead}${isEnd ? '└─' : '├─'} ${label(node)}${role === 'base' ? ', the base' : ''}\n`;
        return line + below(parent, `${lead}${isEnd ? '   ' : '│  '}`);
      })
      .join('');
  };
  const top = byId.get(version);
  return top === undefined ? '' : `  ${label(top)}\n${below(version, '  ')}`;
}
