import { EngineError } from '../engine/index.js';
import { AppError } from '../errors.js';
import { RecipeError } from '../recipe/index.js';

/**
 * Runs `work`, whose refusals point into the recipe, so that they point into the request instead.
 * @param prefix where the recipe is in the request: `/recipe` in JSON, nothing when the body is the recipe
 */
export async function pointingIntoRequest<T>(prefix: string, work: () => Promise<T> | T): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RecipeError) {
      throw new RecipeError(error.issues.map((issue) => ({ ...issue, pointer: prefix + issue.pointer })));
    }
    if (error instanceof EngineError && error.details.pointer !== undefined) {
      throw new EngineError(error.code, error.message, { ...error.details, pointer: prefix + error.details.pointer });
    }
    throw error;
  }
}

/** A model that the recipe names and that is not there, or none to load: the fault is the body's, not the address's. */
export async function pointingAtModel<T>(pointer: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof EngineError) {
      throw new EngineError(error.code, error.message, { ...error.details, pointer });
    }
    if (!(error instanceof AppError)) throw error;
    const isMissing = error.code === 'model_not_found' || error.code === 'version_not_found';
    throw new AppError(isMissing ? 'input_not_found' : error.code, error.message, { ...error.options, pointer });
  }
}
