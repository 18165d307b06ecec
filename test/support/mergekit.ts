import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import type { FloatDtype } from '../../src/engine/checkpoint/dtype.js';
import { type Comparison, differences } from './compare.js';
import { merge } from './merge.js';
import type { WrittenModelSet } from './model-sets.js';
import { type Oracle } from './oracle.js';
import { Random } from './random.js';
import { drawnMethods, generateRecipe, type WrittenRecipe } from './recipes.js';
import { type ExpectedTensor, referenceMerge } from './reference-merge.js';
import { readModel } from './safetensors.js';
import { ulp } from './tensors.js';

export interface GeneratedCase {
  seed: number;
  set: WrittenModelSet;
  recipe: WrittenRecipe;
  yaml: string;
}

/** Every method in turn, over model sets drawn by the seed. */
export function generatedCase(seed: number, sets: readonly WrittenModelSet[]): GeneratedCase {
  const random = new Random(seed);
  const method = drawnMethods[seed % drawnMethods.length] ?? 'linear';
  const set = random.pick(sets);
  const recipe = generateRecipe(random, method, set);
  return { seed, set, recipe, yaml: dump(recipe) };
}

/** Merges with MergeKit and with the engine. @returns what differs, a sentence each, or nothing */
export async function compareWithMergeKit(oracle: Oracle, root: string, generated: GeneratedCase): Promise<string[]> {
  const { seed, recipe, yaml, set } = generated;
  const [ours, theirs] = [join(root, `out-${seed}-amalgam`), join(root, `out-${seed}-mergekit`)];
  try {
    await oracle.ask({ recipe: yaml, outDir: theirs, cwd: root });
    await merge({ recipe: yaml, directory: ours, cwd: root });
    const expected = referenceMerge(recipe, set.models, set.layers);
    return [
      ...differences(readModel(ours), readModel(theirs), comparisonFor(recipe, expected)),
      ...configDifferences(ours, theirs, generated),
    ];
  } finally {
    rmSync(ours, { recursive: true, force: true });
    rmSync(theirs, { recursive: true, force: true });
  }
}

/** The tolerance that the arithmetic of both sides justifies, the types being what they are. */
function comparisonFor(recipe: WrittenRecipe, expected: ReadonlyMap<string, ExpectedTensor>): Comparison {
  const isOpen = (tensor: string, element: number): boolean => {
    const { open, cancelled } = expected.get(tensor) ?? {};
    return open?.[element] === 1 || cancelled?.[element] === 1;
  };
  // MergeKit rounds a result to the type it computed in and then to out_dtype; the engine rounds once.
  const ulpOf = (tensor: string): FloatDtype | undefined => {
    const { cast = 'F64', dtype = 'F64' } = expected.get(tensor) ?? {};
    return ulp(cast, 1) > ulp(dtype, 1) ? cast : dtype;
  };
  const common = { ulps: 1, ulpOf, isOpen };
  const casts = [...expected.values()].map(({ cast }) => cast);
  const isTaskVector = recipe.merge_method === 'task_arithmetic' || recipe.merge_method === 'ties';
  // MergeKit rounds every step of task arithmetic to the stored type; with 8 bits of precision such steps add up to some per cent.
  if (isTaskVector && casts.includes('BF16')) return { ...common, relative: 0.03 };
  if (isTaskVector && casts.includes('F16')) return { ...common, relative: 0.004 };
  return { ...common, relative: 2e-6 };
}

function configDifferences(ours: string, theirs: string, { recipe, set }: GeneratedCase): string[] {
  const read = (directory: string): Record<string, unknown> =>
    JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8')) as Record<string, unknown>;
  const [mine, other] = [read(ours), read(theirs)];
  const dtypes = new Set([...readModel(ours).values()].map(({ dtype }) => dtype));
  return Object.keys(mine).flatMap((key) => {
    // MergeKit keeps one model's flag and dtype where tied and untied models, or several dtypes, meet.
    const isMixed = set.name === 'llama-mixed';
    if (isMixed && (key === 'tie_word_embeddings' || key === 'dtype')) return [];
    // It does not look at the tensors to say what they are.
    if (key === 'dtype' && (recipe.out_dtype ?? recipe.dtype) === undefined && dtypes.size > 1) return [];
    return JSON.stringify(mine[key]) === JSON.stringify(other[key])
      ? []
      : [`config.json has ${key} ${JSON.stringify(mine[key])}, not ${JSON.stringify(other[key])}`];
  });
}
