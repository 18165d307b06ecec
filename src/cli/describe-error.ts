import { EngineError } from '../engine/index.js';
import { AppError } from '../errors.js';
import { findRecipePosition, RecipeError } from '../recipe/index.js';
import { ApiProblem } from './api-client.js';
import { Failure, type RecipeText } from './failure.js';
import { printable } from './format.js';

interface ShownIssue {
  code: string;
  message: string;
  pointer?: string | undefined;
  line?: number | undefined;
  column?: number | undefined;
}

/** `PATH:LINE:COL: WORD CODE: MESSAGE (POINTER)`, as editors and CI systems recognise it. */
export function formatIssue(word: string, issue: ShownIssue, recipe?: RecipeText): string {
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
  if (error instanceof AppError) return formatIssue('error', { code: error.code, message: error.message });
  if (error instanceof EngineError || error instanceof Failure) {
    const pointer = error instanceof EngineError ? error.details.pointer : error.pointer;
    const { code, message } = error;
    return formatIssue('error', { code, message, pointer }, pointer === undefined ? undefined : recipe);
  }
  if (error instanceof ApiProblem) return describeProblem(error, recipe);
  const { code } = error as NodeJS.ErrnoException;
  // ENOENT, EACCES and the like, whose messages name the file.
  if (error instanceof Error && code !== undefined && /^E[A-Z0-9]+$/.test(code))
    return printable(`error ${code}: ${error.message}`);
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** A service's refusal, as `code: detail (pointer)`; of a recipe, each reason with its place. */
function describeProblem({ code, message, problem }: ApiProblem, recipe: RecipeText | undefined): string {
  const reasons = problem.errors ?? [];
  if (reasons.length === 0) {
    const pointer = typeof problem['pointer'] === 'string' ? problem['pointer'] : undefined;
    return formatIssue('error', { code, message, pointer }, pointer?.startsWith('/') === true ? recipe : undefined);
  }
  return reasons
    .map(({ detail, severity = 'error', ...reason }) => {
      // `?name` is a query parameter, not a place in the recipe.
      const isInRecipe = reason.pointer.startsWith('/') || reason.line !== undefined;
      return formatIssue(severity, { ...reason, message: detail }, isInRecipe ? recipe : undefined);
    })
    .join('\n');
}
