import { Interrupted, type RecipeText, UsageError } from './failure.js';
import { readRecipeFile } from './recipe-file.js';

/** 0: done. 1: refused or failed. 2: called in a wrong way. Above 128: ended by a signal. */
export const USAGE_STATUS = 2;

/** Runs a command; what it throws becomes lines on stderr and the process's status. @param work may return a status */
export async function runCommand(work: () => Promise<unknown>, recipe?: () => RecipeText | undefined): Promise<void> {
  try {
    const status = await work();
    if (typeof status === 'number') process.exitCode = status;
  } catch (error) {
    if (error instanceof Interrupted) {
      process.exitCode = error.exitCode;
      return;
    }
    const isUsage = error instanceof UsageError;
    process.exitCode = isUsage ? USAGE_STATUS : 1;
    process.stderr.write(`${isUsage ? `error: ${error.message}` : await describe(error, recipe?.())}\n`);
  }
}

/** Loaded late: the engine and the grammar are not needed to print help. */
async function describe(error: unknown, recipe: RecipeText | undefined): Promise<string> {
  const { describeError } = await import('./describe-error.js');
  return describeError(error, recipe);
}

/** The same for commands that read a recipe, whose errors are shown with line and column. */
export async function runWithRecipe(path: string, work: (recipe: RecipeText) => Promise<unknown>): Promise<void> {
  let recipe: RecipeText | undefined;
  await runCommand(
    async () => {
      recipe = await readRecipeFile(path);
      return work(recipe);
    },
    () => recipe,
  );
}
