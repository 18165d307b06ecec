import { readFile } from 'node:fs/promises';
import { Failure, type RecipeText } from './failure.js';

/** @throws Failure recipe_unreadable: no such file, no right to read it, or not UTF-8 */
export async function readRecipeFile(path: string): Promise<RecipeText> {
  const bytes = await readFile(path).catch((error: unknown) => {
    const { code, message } = error as NodeJS.ErrnoException;
    const reasons: Record<string, string> = { ENOENT: 'there is no such file', EISDIR: 'it is a folder' };
    throw new Failure('recipe_unreadable', `${path}: ${reasons[code ?? ''] ?? message}`);
  });
  try {
    return { path, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    throw new Failure('recipe_unreadable', `${path}: it is not UTF-8 text`);
  }
}
