import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A recipe that someone published, and what MergeKit 0.1.5 says to it. */
export interface Published {
  number: string;
  /** merge, multi, moe, evolve, pytorch, or other. */
  kind: string;
  path: string;
  /** Whether MergeKit reads it and its planner accepts it. */
  planned: boolean;
  /** Of several recipes in one file: whether `mergekit-multi` takes each of them. */
  staged: boolean;
  /** What MergeKit says against it, or nothing. */
  reason: string;
}

/** The recipes of shared/wild, in their order. */
export function publishedRecipes(folder: string): Published[] {
  const [, ...rows] = readFileSync(join(folder, 'index.tsv'), 'utf8').trimEnd().split('\n');
  return rows.map((row) => {
    const [number = '', kind = '', , , , , read = '', plan = '', ownTool = ''] = row.split('\t');
    return {
      number,
      kind,
      path: join(folder, 'recipes', `${number}.yml`),
      planned: read === 'ok' && plan === 'ok',
      staged: kind === 'multi' && ownTool.endsWith('each ok'),
      reason: read === 'ok' ? (plan === 'ok' ? '' : plan) : read,
    };
  });
}
