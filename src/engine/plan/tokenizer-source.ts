import type { Recipe } from '../../recipe/index.js';
import { TOKENIZER_FILES } from '../architecture/companion-files.js';
import { EngineError } from '../errors.js';
import { sha256Hex } from './canonical-json.js';
import type { PlanModel } from './plan-model.js';
import { vocabularyOf } from './vocabulary.js';

/**
 * The model whose tokenizer files the result carries. Where the recipe asks for a union, the base's or a model's
 * tokenizer, that is a copy as long as all inputs have the same vocabulary: then no row of an embedding moves.
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
  const other = await findOtherVocabulary(references, models);
  if (other !== undefined) {
    const message = `the tokenizers of ${references[0] ?? ''} and ${other} differ: aligning embeddings to another vocabulary is not supported yet`;
    throw new EngineError('tokenizers_differ', message, { pointer });
  }
  if (wanted === 'union' || wanted === 'base') return fallback;
  if (references.includes(wanted)) return wanted;
  throw new EngineError('tokenizers_differ', `${wanted} is not among the models of the merge`, { pointer });
}

/** Equal files are the same tokenizer; of others it is looked up which row is which token. */
async function findOtherVocabulary(
  references: readonly string[],
  models: ReadonlyMap<string, PlanModel>,
): Promise<string | undefined> {
  const found = await Promise.all(references.map((reference) => filesDigest(models.get(reference))));
  const isOther = (digests: readonly (string | undefined)[], at: number): boolean =>
    digests[at] === undefined || digests[at] !== digests[0];
  if (!references.some((_reference, at) => isOther(found, at))) return undefined;
  const vocabularies: (string | undefined)[] = [];
  for (const reference of references) vocabularies.push(await vocabularyOf(models.get(reference)));
  return references.find((_reference, at) => isOther(found, at) && isOther(vocabularies, at));
}

async function filesDigest(model: PlanModel | undefined): Promise<string> {
  if (model === undefined) return '';
  const files = model.checkpoint.files.filter(({ path }) => (TOKENIZER_FILES as readonly string[]).includes(path));
  const parts = await Promise.all(
    files.map(async ({ path, bytes }) => `${path}:${sha256Hex(await model.files.read(path, 0, bytes))}`),
  );
  return sha256Hex(parts.sort().join('\n'));
}
