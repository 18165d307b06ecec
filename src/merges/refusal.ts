import { EngineError } from '../engine/index.js';
import { AppError, catalogue } from '../errors.js';
import type { MergeFailure } from './merges.schema.js';
import { RecipeError } from '../recipe/index.js';

/** Why the same merge would be refused again; undefined for what is nobody's decision. */
export function refusalOf(error: unknown): MergeFailure | undefined {
  if (error instanceof RecipeError) {
    const [issue] = error.issues.filter(({ severity }) => severity === 'error');
    return issue && { code: issue.code, detail: issue.message, pointer: issue.pointer };
  }
  if (error instanceof EngineError) {
    const { code, message: detail, details } = error;
    return { code, detail, ...(details.pointer !== undefined && { pointer: details.pointer }) };
  }
  if (!(error instanceof AppError) || catalogue[error.code].status >= 500) return undefined;
  const { code, message: detail, options } = error;
  return { code, detail, ...(options.pointer !== undefined && { pointer: options.pointer }) };
}
