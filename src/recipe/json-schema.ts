import { z } from 'zod';
import { presetNames } from './presets.js';
import { Recipe } from './schema.js';

interface RecipeSchema {
  $defs: { Recipe: { properties: Record<string, unknown>; required?: string[]; anyOf?: object[] } };
}

/** JSON Schema (2020-12) of a recipe as it is written: a preset may stand in its method's place. */
export function recipeJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(Recipe, { io: 'input', target: 'draft-2020-12' });
  const { Recipe: recipe } = (schema as unknown as RecipeSchema).$defs;
  recipe.properties['preset'] = { enum: presetNames, description: 'A ready-made recipe that only lacks its models.' };
  delete recipe.required;
  recipe.anyOf = [{ required: ['merge_method'] }, { required: ['preset'] }];
  return schema;
}
