import { parseYaml } from './parse.js';
import type { Position } from './positions.js';

/**
 * Where a pointer leads in a recipe's text: for refusals that come after parsing, such as those of the planner.
 * @returns undefined for a text that is not YAML; of what is not in the text, the place of what is around it
 */
export function findRecipePosition(text: string, pointer: string): Position | undefined {
  const path = pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  try {
    const documents = parseYaml(text).filter(({ value }) => value !== null);
    const document = documents.length > 1 ? documents[Number(path.shift())] : documents[0];
    return document?.findPosition(path, 'value');
  } catch {
    return undefined;
  }
}
