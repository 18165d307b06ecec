import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import type { FloatDtype } from '../../src/engine/checkpoint/dtype.js';
import { type Comparison, differences } from './compare.js';
import { merge } from './merge.js';
import { knownElements, knownRounding } from './mergekit-differences.js';
import type { WrittenModelSet } from './model-sets.js';
import { type Oracle } from './oracle.js';
import { Random } from './random.js';
import { drawnMethods } from './drawn-methods.js';
import { generateRecipe } from './recipe-draw.js';
import type { WrittenRecipe } from './recipes.js';
import { type ExpectedTensor, referenceMerge } from './reference-merge.js';
import { readModel } from './safetensors.js';
import { ulp } from './tensors.js';

export interface GeneratedCase {
  seed: number;
  set: WrittenModelSet;
  recipe: WrittenRecipe;
  yaml: string;
}

export function methodOf(seed: number): (typeof drawnMethods)[number] {
  return drawnMethods[seed % drawnMethods.length] ?? 'linear';
}

/** Every method in turn, over model sets drawn by the seed. */
export function generatedCase(seed: number, sets: readonly WrittenModelSet[]): GeneratedCase {
  const random = new Random(seed);
  const set = random.pick(sets);
  const recipe = generateRecipe(random, methodOf(seed), set);
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

/** Among so few it happens that what is added cancels out in the largest, too. */
const FEW_ELEMENTS = 16;

/** The tolerance that the arithmetic of both sides justifies, the types being what they are. */
function comparisonFor(
  { merge_method: method }: WrittenRecipe,
  expected: ReadonlyMap<string, ExpectedTensor>,
): Comparison {
  const known = new Map([...expected].map(([name, tensor]) => [name, knownElements(method, tensor)]));
  const isOpen = (tensor: string, element: number, theirs: number, ours: number): boolean => {
    const { open, cancelled } = expected.get(tensor) ?? {};
    if (open?.[element] === 1 || cancelled?.[element] === 1) return true;
    return known.get(tensor)?.some((isKnown) => isKnown(element, theirs, ours)) === true;
  };
  // MergeKit rounds a result to the type it computed in and then to out_dtype; the engine rounds once.
  const ulpOf = (tensor: string): FloatDtype | undefined => {
    const { cast = 'F64', dtype = 'F64' } = expected.get(tensor) ?? {};
    return ulp(cast, 1) > ulp(dtype, 1) ? cast : dtype;
  };
  const scaleOf = (tensor: string): number => {
    const magnitude = expected.get(tensor)?.magnitude ?? [];
    return magnitude.length < FEW_ELEMENTS ? Math.max(0, ...magnitude) : 0;
  };
  const relative = Math.max(2e-6, ...[...expected.values()].map(({ cast }) => knownRounding(method, cast)));
  return { ulps: 1, ulpOf, isOpen, scaleOf, relative };
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
