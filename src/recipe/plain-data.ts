import { depthLimit, keyCharactersLimit, membersLimit, nodesLimit, textBytesLimit } from './limits.js';
import type { IssueList } from './issue-list.js';
import type { Path } from './pointers.js';

/**
 * Checks that a value is plain JSON-like data of a recipe's size, whatever its form: nothing after this has to fear depth,
 * volume, broken text or keys that reach for a prototype.
 */
export function checkPlainData(root: unknown, issues: IssueList): void {
  const waiting: { value: unknown; path: Path }[] = [{ value: root, path: [] }];
  let nodes = 0;
  let characters = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { value, path } = next;
    nodes += 1;
    if (typeof value === 'string') characters += value.length;
    if (nodes > nodesLimit || characters > textBytesLimit) {
      issues.error(
        'recipe_too_large',
        [],
        `A recipe has at most ${nodesLimit} values and ${textBytesLimit} characters.`,
      );
      return;
    }
    if (typeof value === 'object' && value !== null && Object.keys(value).length > membersLimit) {
      issues.error('recipe_too_large', path, `A list or mapping of a recipe has at most ${membersLimit} members.`);
      return;
    }
    if (path.length > depthLimit) {
      issues.error('recipe_too_deep', [], `A recipe nests at most ${depthLimit} levels.`);
      return;
    }
    if (typeof value === 'string' && hasBrokenText(value)) {
      issues.error('invalid_text', path, 'This text has a NUL or is not valid Unicode.');
    } else if (Array.isArray(value)) {
      value.forEach((item, index) => waiting.push({ value: item, path: [...path, index] }));
    } else if (typeof value === 'object' && value !== null) {
      if (!isPlain(value)) issues.error('wrong_type', path, 'This is not plain data.');
      else checkKeys(value, path, waiting, issues);
    } else if (!['string', 'number', 'boolean'].includes(typeof value) && value !== null) {
      issues.error('wrong_type', path, 'This is not plain data.');
    }
  }
}

function checkKeys(value: object, path: Path, waiting: { value: unknown; path: Path }[], issues: IssueList): void {
  for (const [key, member] of Object.entries(value)) {
    const place = [...path, key];
    if (key.length > keyCharactersLimit) {
      issues.error('unsafe_key', path, `A key has at most ${keyCharactersLimit} characters.`);
    } else if (key === '__proto__' || hasBrokenText(key))
      issues.error('unsafe_key', place, 'This key cannot be used.', 'key');
    else waiting.push({ value: member, path: place });
  }
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function hasBrokenText(text: string): boolean {
  return text.includes('\0') || /\p{Surrogate}/u.test(text);
}
