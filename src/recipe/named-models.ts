import type { Path } from './pointers.js';
import type { Recipe } from './schema.js';

/** Every place of a recipe that names a model, tokenizer sources and coefficients among them. */
export function namedModels(recipe: Recipe): { path: Path; model: string }[] {
  const found: { path: Path; model: string }[] = [];
  const add = (path: Path, model: string | undefined): void => {
    if (model !== undefined) found.push({ path, model });
  };
  const addPart = (part: Pick<Recipe, 'models' | 'slices'>, path: Path): void => {
    part.models?.forEach(({ model }, index) => add([...path, 'models', index, 'model'], model));
    part.slices?.forEach((slice, index) => {
      add([...path, 'slices', index, 'base_model'], slice.base_model);
      slice.sources.forEach(({ model }, at) => add([...path, 'slices', index, 'sources', at, 'model'], model));
    });
  };
  add(['base_model'], recipe.base_model);
  recipe.overrides?.forEach(({ base_model: base }, index) => add(['overrides', index, 'base_model'], base));
  addPart(recipe, []);
  for (const [name, module] of Object.entries(recipe.modules ?? {})) addPart(module, ['modules', name]);
  add(['coefficients'], recipe.coefficients);
  add(['tokenizer_source'], recipe.tokenizer_source);
  add(['tokenizer', 'source'], recipe.tokenizer?.source);
  return found;
}
