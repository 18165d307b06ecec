import { RecipeError, type RecipeIssue } from './errors.js';
import type { MethodName } from './methods/method.js';
import { methods } from './methods/registry.js';
import { type Path, pointerOf } from './pointers.js';
import { namedModels } from './named-models.js';
import type { Recipe } from './schema.js';

const dtypes = ['bfloat16', 'float16', 'float32', 'float64'];

/** What the grammar takes but this version does not carry out: one entry a place. */
export function unsupportedParts(recipe: Recipe): { code: string; path: Path; message: string }[] {
  const found: { code: string; path: Path; message: string }[] = [];
  const add = (path: Path, message: string, code = 'not_supported_yet'): void => {
    found.push({ code, path, message });
  };
  for (const { path, method } of namedMethods(recipe)) {
    if (!methods[method].executable) add(path, `${method} is not carried out yet.`);
  }
  if (recipe.modules !== undefined) add(['modules'], 'Modules are not carried out yet.');
  for (const { path, model } of namedModels(recipe)) {
    if (model.includes('+')) add(path, `“${model}” has an adapter; adapters are not carried out yet.`);
  }
  if (recipe.chat_template !== undefined) add(['chat_template'], 'Chat templates are not written yet.');
  if (recipe.tokenizer?.tokens !== undefined)
    add(['tokenizer', 'tokens'], 'Tokens with embeddings of their own are not carried out yet.');
  if (recipe.tokenizer?.pad_to_multiple_of !== undefined) {
    add(['tokenizer', 'pad_to_multiple_of'], 'Padding of embeddings is not carried out yet.');
  }
  for (const key of ['dtype', 'out_dtype'] as const) {
    const dtype = recipe[key];
    if (dtype !== undefined && !dtypes.includes(dtype)) {
      add([key], `There is no ${key} “${dtype.slice(0, 60)}”; the dtypes are ${dtypes.join(', ')}.`, 'unknown_dtype');
    }
  }
  return found;
}

function namedMethods({ merge_method: own, slices, overrides }: Recipe): { path: Path; method: MethodName }[] {
  const found: { path: Path; method: MethodName }[] = [{ path: ['merge_method'], method: own }];
  for (const [list, entries] of Object.entries({ slices, overrides })) {
    entries?.forEach(({ merge_method: method }, index) => {
      if (method !== undefined) found.push({ path: [list, index, 'merge_method'], method });
    });
  }
  return found;
}

/**
 * Makes sure that this version can carry the recipe and its stages out.
 * @throws RecipeError naming every part that it cannot: `not_supported_yet`, or `unknown_dtype`.
 */
export function assertExecutable(recipe: Recipe): void {
  const parts = [...(recipe.stages ?? []), recipe].flatMap(unsupportedParts);
  const issues = parts.map(({ code, path, message }): RecipeIssue => ({
    severity: 'error',
    code,
    message,
    pointer: pointerOf(path),
  }));
  if (issues.length > 0) throw new RecipeError(issues);
}
