import type { Recipe } from '../../recipe/index.js';
import { TOKENIZER_FILES } from '../architecture/companion-files.js';
import { EngineError } from '../errors.js';
import { sha256Hex } from './canonical-json.js';
import type { PlanModel } from './plan-model.js';

/**
 * The model whose tokenizer files the result carries. Where the recipe asks for a union, the base's or a model's
 * tokenizer, that is a copy as long as all inputs have the same one: then no row of an embedding moves.
 * @throws EngineError tokenizers_differ
 */
export async function tokenizerSource(
  recipe: Recipe,
  references: readonly string[],
  models: ReadonlyMap<string, PlanModel>,
): Promise<string> {
  const fallback = recipe.base_model ?? references[0] ?? '';
  const wanted = recipe.tokenizer?.source ?? recipe.tokenizer_source;
  if (wanted === undefined) return fallback;
  const pointer = recipe.tokenizer === undefined ? '/tokenizer_source' : '/tokenizer';
  const tokenizers = await Promise.all(
    references.map(async (reference) => ({ reference, digest: await tokenizerDigest(models.get(reference)) })),
  );
  const other = tokenizers.find(({ digest }) => digest !== tokenizers[0]?.digest);
  if (other !== undefined) {
    const message = `the tokenizers of ${tokenizers[0]?.reference ?? ''} and ${other.reference} differ: aligning embeddings to another vocabulary is not supported yet`;
    throw new EngineError('tokenizers_differ', message, { pointer });
  }
  if (wanted === 'union' || wanted === 'base') return fallback;
  if (references.includes(wanted)) return wanted;
  throw new EngineError('tokenizers_differ', `${wanted} is not among the models of the merge`, { pointer });
}

async function tokenizerDigest(model: PlanModel | undefined): Promise<string> {
  if (model === undefined) return '';
  const files = model.checkpoint.files.filter(({ path }) => (TOKENIZER_FILES as readonly string[]).includes(path));
  const parts = await Promise.all(
    files.map(async ({ path, bytes }) => `${path}:${sha256Hex(await model.files.read(path, 0, bytes))}`),
  );
  return sha256Hex(parts.sort().join('\n'));
}
