/** A node with its place: columns are counted from the left, layers from the top. */
export interface Place {
  layer: number;
  column: number;
}

interface Edge {
  parent: string;
  child: string;
}

/** Enough for a picture that people read; each sweep costs one pass over the edges. */
const sweeps = 4;

/**
 * Places a lineage for drawing: parents above their children, and within a layer as near to their parents and children
 * as order allows (the barycentre heuristic). The same input gives the same picture.
 *
 * @param ids nodes, each once
 * @param edges those that name an unknown node or close a cycle are ignored
 */
export function layOut(ids: readonly string[], edges: readonly Edge[]): Map<string, Place> {
  const known = new Set(ids);
  const usable = edges.filter(({ parent, child }) => parent !== child && known.has(parent) && known.has(child));
  const layers = layersOf(ids, usable);
  const rows: string[][] = [];
  for (const id of ids) (rows[layers.get(id) ?? 0] ??= []).push(id);
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const downwards = sweep % 2 === 0;
    const order = downwards ? rows.keys() : [...rows.keys()].reverse();
    for (const layer of order) sortByNeighbours(rows, layer, usable, downwards);
  }
  const widest = Math.max(1, ...rows.map((row) => row.length));
  const places = new Map<string, Place>();
  rows.forEach((row, layer) => {
    row.forEach((id, index) => places.set(id, { layer, column: index + (widest - row.length) / 2 }));
  });
  return places;
}

/** The longest way from a node without parents, by Kahn's algorithm; what is left over lies on a cycle and stays on top. */
function layersOf(ids: readonly string[], edges: readonly Edge[]): Map<string, number> {
  const layers = new Map(ids.map((id) => [id, 0]));
  const waiting = new Map(ids.map((id) => [id, 0]));
  const children = new Map<string, string[]>();
  for (const { parent, child } of edges) {
    waiting.set(child, (waiting.get(child) ?? 0) + 1);
    children.set(parent, [...(children.get(parent) ?? []), child]);
  }
  const ready = ids.filter((id) => waiting.get(id) === 0);
  for (let id = ready.shift(); id !== undefined; id = ready.shift()) {
    for (const child of children.get(id) ?? []) {
      layers.set(child, Math.max(layers.get(child) ?? 0, (layers.get(id) ?? 0) + 1));
      const left = (waiting.get(child) ?? 1) - 1;
      waiting.set(child, left);
      if (left === 0) ready.push(child);
    }
  }
  return layers;
}

function sortByNeighbours(rows: string[][], layer: number, edges: readonly Edge[], downwards: boolean): void {
  const row = rows[layer];
  if (row === undefined || row.length < 2) return;
  const column = new Map(rows.flatMap((each) => each.map((id, index) => [id, index - each.length / 2] as const)));
  const weight = (id: string): number => {
    const neighbours = edges.flatMap(({ parent, child }) => {
      if (downwards) return child === id ? [parent] : [];
      return parent === id ? [child] : [];
    });
    const own = column.get(id) ?? 0;
    if (neighbours.length === 0) return own;
    return neighbours.reduce((sum, neighbour) => sum + (column.get(neighbour) ?? 0), 0) / neighbours.length;
  };
  const weights = new Map(row.map((id) => [id, weight(id)]));
  // A stable sort, so that equal weights keep the order that the caller gave.
  rows[layer] = [...row].sort((left, right) => (weights.get(left) ?? 0) - (weights.get(right) ?? 0));
}
