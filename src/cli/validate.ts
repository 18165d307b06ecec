import { parseRecipe, RecipeError, type RecipeIssue } from '../recipe/index.js';
import { Failure } from './failure.js';
import { printable } from './format.js';
import { readRecipeFile } from './recipe-file.js';

/** `amalgam validate RECIPE...`: one line a file, or one for each issue. @returns whether all were accepted */
export async function validate(
  paths: readonly string[],
  options: { lenient?: boolean; json?: boolean },
): Promise<boolean> {
  const results = [];
  for (const path of paths) {
    const issues = await issuesOf(path, options.lenient ?? false);
    const isRefused = issues.some(({ severity }) => severity === 'error');
    results.push({ path, verdict: isRefused ? 'refused' : issues.length > 0 ? 'warning' : 'ok', issues });
  }
  if (options.json === true) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
  else process.stdout.write(results.map(({ path, issues }) => linesOf(path, issues)).join(''));
  return results.every(({ verdict }) => verdict !== 'refused');
}

async function issuesOf(path: string, lenient: boolean): Promise<RecipeIssue[]> {
  try {
    const { text } = await readRecipeFile(path);
    return parseRecipe(text, { lenient }).warnings;
  } catch (error) {
    if (error instanceof RecipeError) return error.issues;
    if (!(error instanceof Failure)) throw error;
    return [{ severity: 'error', code: error.code, message: error.message, pointer: '' }];
  }
}

function linesOf(path: string, issues: readonly RecipeIssue[]): string {
  if (issues.length === 0) return `${printable(path)} ok\n`;
  return issues
    .map(({ severity, code, message, line = 1, column = 1 }) => {
      const verdict = severity === 'error' ? 'refused' : 'warning';
      return `${printable(`${path} ${verdict} ${code} ${line}:${column} ${message}`)}\n`;
    })
    .join('');
}
