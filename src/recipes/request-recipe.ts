import { YamlText } from '../http/yaml-text.js';
import { type ParsedRecipe, type ParseOptions, parseRecipe, RecipeError } from '../recipe/index.js';

/**
 * Reads the recipe of a request: its YAML body, or the member `recipe` of its JSON body, itself an object or YAML text.
 * @throws RecipeError whose pointers lead into the request
 */
export function parseRequestRecipe(recipe: unknown, options: ParseOptions = {}): ParsedRecipe {
  if (recipe instanceof YamlText) return parseRecipe(recipe.text, options);
  return pointingInto('/recipe', () => parseRecipe(recipe, options));
}

/** Runs what may refuse a recipe that is a member of the request's body. */
export function pointingInto<T>(pointer: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof RecipeError)) throw error;
    throw new RecipeError(error.issues.map((issue) => ({ ...issue, pointer: pointer + issue.pointer })));
  }
}
