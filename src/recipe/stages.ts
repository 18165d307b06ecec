import type { IssueList } from './issue-list.js';
import { namedModels } from './named-models.js';
import { findMeant } from './near-miss.js';
import type { Path } from './pointers.js';
import type { Recipe } from './schema.js';

/** One recipe of a text. */
export interface Stage {
  recipe: Recipe;
  /** Position of its document: the first part of its pointers where the text has several. */
  document: number;
  /** The names of earlier stages whose results it merges. */
  uses: string[];
}

/** A document that was read, and where its issues go. */
export interface StageDocument {
  recipe: Recipe;
  document: number;
  issues: IssueList;
}

interface Node extends StageDocument {
  edges: { to: Node; path: Path }[];
}

/**
 * Puts the recipes of one text in an order in which each can be carried out. Models that have the name of another document
 * are that one's result (the grammar of mergekit-multi). The result of the whole is the document without a name, else the
 * last one.
 *
 * Adds to the issues: duplicate_stage, unnamed_stage, unknown_stage, stage_cycle, unused_stage.
 */
export function orderStages(documents: readonly StageDocument[]): Stage[] {
  const nodes = documents.map((document): Node => ({ ...document, edges: [] }));
  const byName = namesOf(nodes);
  for (const node of nodes) connect(node, byName);
  const result = resultOf(nodes);
  if (result === undefined) return [];
  const order = new Map<Node, 'open' | 'done'>();
  const stages: Stage[] = [];
  const visit = (node: Node): void => {
    order.set(node, 'open');
    for (const { to, path } of node.edges) {
      const state = order.get(to);
      if (state === undefined) visit(to);
      if (state !== 'open') continue;
      const message = `“${to.recipe.name ?? ''}” is made from what it is needed for: the stages go in a circle.`;
      node.issues.error('stage_cycle', path, message);
    }
    order.set(node, 'done');
    const uses = node.edges.map(({ to }) => to.recipe.name ?? '');
    stages.push({ recipe: node.recipe, document: node.document, uses: [...new Set(uses)] });
  };
  visit(result);
  for (const node of nodes) if (!order.has(node)) noteUnused(node, visit);
  const used = new Set(stagesOf(result));
  return stages.filter(({ document }) => used.has(document));
}

function namesOf(nodes: readonly Node[]): Map<string, Node> {
  const byName = new Map<string, Node>();
  for (const node of nodes) {
    const { name } = node.recipe;
    if (name === undefined) continue;
    if (byName.has(name)) {
      node.issues.error('duplicate_stage', ['name'], `Another recipe of this file is already named “${name}”.`);
    } else byName.set(name, node);
  }
  return byName;
}

function connect(node: Node, byName: ReadonlyMap<string, Node>): void {
  for (const { model, path } of namedModels(node.recipe)) {
    const to = byName.get(model);
    if (to !== undefined) {
      node.edges.push({ to, path });
      continue;
    }
    // A path or a name with a namespace is a model from elsewhere; another word may be a stage's name with a slip in it.
    const meant = model.includes('/') ? undefined : findMeant(model, byName.keys());
    if (meant === undefined || meant === node.recipe.name) continue;
    const message = `“${model}” is no recipe of this file; “${meant}” was probably meant.`;
    node.issues.suspect('unknown_stage', path, message);
  }
}

function resultOf(nodes: readonly Node[]): Node | undefined {
  const unnamed = nodes.filter(({ recipe }) => recipe.name === undefined);
  for (const node of unnamed.slice(0, -1)) {
    const message = 'Only one recipe of a file, its result, can be without a name: nothing else could use this one.';
    node.issues.error('unnamed_stage', [], message);
  }
  return unnamed.at(-1) ?? nodes.at(-1);
}

/** Its circles are faults all the same. */
function noteUnused(node: Node, visit: (node: Node) => void): void {
  const message = `The result does not need “${node.recipe.name ?? ''}”; it is not merged.`;
  node.issues.warn('unused_stage', node.recipe.name === undefined ? [] : ['name'], message);
  visit(node);
}

/** The documents that a stage needs, itself among them. */
function stagesOf(result: Node): Set<number> {
  const found = new Set<number>();
  const waiting = [result];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (found.has(next.document)) continue;
    found.add(next.document);
    waiting.push(...next.edges.map(({ to }) => to));
  }
  return found;
}
