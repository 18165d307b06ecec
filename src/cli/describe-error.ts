import { EngineError } from '../engine/index.js';
import { findRecipePosition, RecipeError, type RecipeIssue } from '../recipe/index.js';
import { Failure, type RecipeText } from './failure.js';
import { printable } from './format.js';

/** `PATH:LINE:COL: WORD CODE: MESSAGE (POINTER)`, as editors and CI systems recognise it. */
export function formatIssue(
  word: string,
  issue: Pick<RecipeIssue, 'code' | 'message' | 'line' | 'column'> & { pointer?: string | undefined },
  recipe?: RecipeText,
): string {
  const position = issue.line === undefined ? positionOf(issue.pointer, recipe) : issue;
  const place = recipe === undefined ? '' : `${recipe.path}:`;
  const at = position?.line === undefined ? '' : `${position.line}:${position.column ?? 1}:`;
  const pointer = issue.pointer ? ` (${issue.pointer})` : '';
  return printable(`${place}${at}${place === '' ? '' : ' '}${word} ${issue.code}: ${issue.message}${pointer}`);
}

function positionOf(pointer: string | undefined, recipe: RecipeText | undefined) {
  return pointer === undefined || recipe === undefined ? undefined : findRecipePosition(recipe.text, pointer);
}

/** What stderr gets for an error; a defect of this program keeps its stack. */
export function describeError(error: unknown, recipe?: RecipeText): string {
  if (error instanceof RecipeError) {
    return error.issues.map((issue) => formatIssue(issue.severity, issue, recipe)).join('\n');
  }
  if (error instanceof EngineError || error instanceof Failure) {
    const pointer = error instanceof EngineError ? error.details.pointer : error.pointer;
    return formatIssue(
      'error',
      { code: error.code, message: error.message, pointer },
      pointer === undefined ? undefined : recipe,
    );
  }
  const { code } = error as NodeJS.ErrnoException;
  // ENOENT, EACCES and the like, whose messages name the file.
  if (error instanceof Error && code !== undefined && /^E[A-Z0-9]+$/.test(code))
    return printable(`error ${code}: ${error.message}`);
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
