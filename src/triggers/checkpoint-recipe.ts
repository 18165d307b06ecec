import { createHash } from 'node:crypto';
import { AppError } from '../errors.js';
import { pinRecipe } from '../merges/pinned-recipe.js';
import {
  assertExecutable,
  canonicalRecipe,
  modelReferences,
  parseRecipe,
  type Recipe,
  RecipeError,
  type RecipeIssue,
} from '../recipe/index.js';
import { checkpointSlot } from './triggers.schema.js';

const severalRecipes: RecipeIssue = {
  severity: 'error',
  code: 'not_supported_yet',
  message: 'A trigger has one recipe: several in one text are not carried out for checkpoints yet.',
  pointer: '',
};

/**
 * Reads a recipe that has a place for a checkpoint.
 * @param pointer where it is in the request; that of a RecipeError is into the recipe
 * @throws RecipeError; AppError checkpoint_slot_missing
 */
export function parseCheckpointRecipe(input: unknown, lenient: boolean, pointer: string): Recipe {
  const { recipe } = parseRecipe(input, { lenient });
  assertExecutable(recipe);
  if (recipe.stages !== undefined) throw new RecipeError([severalRecipes]);
  if (modelReferences(recipe).includes(checkpointSlot)) return recipe;
  throw new AppError(
    'checkpoint_slot_missing',
    `Write ${checkpointSlot} where the recipe names the model that each new version takes the place of.`,
    { pointer },
  );
}

/** The recipe for one checkpoint. @param reference such as `team/checkpoints@3` */
export function withCheckpoint(recipe: Recipe, reference: string): Recipe {
  return pinRecipe(recipe, new Map([[checkpointSlot, reference]]));
}

/** The same for every way of writing the same recipe. */
export function recipeDigest(recipe: Recipe): string {
  return createHash('sha256')
    .update(JSON.stringify(canonicalRecipe(recipe)))
    .digest('hex');
}
