import { depthLimit, keyCharactersLimit, membersLimit, nodesLimit, textBytesLimit } from './limits.js';
import type { IssueList } from './issue-list.js';
import type { Path } from './pointers.js';

interface Place {
  value: unknown;
  path: Path;
}

/**
 * Checks that a value is plain JSON-like data of a recipe's size, whatever its form: nothing after this has to fear depth,
 * volume, broken text or keys that reach for a prototype.
 */
export function checkPlainData(root: unknown, issues: IssueList): void {
  const waiting: Place[] = [{ value: root, path: [] }];
  let nodes = 0;
  let characters = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    nodes += 1;
    characters += typeof next.value === 'string' ? next.value.length : 0;
    if (nodes > nodesLimit || characters > textBytesLimit) {
      const message = `A recipe has at most ${nodesLimit} values and ${textBytesLimit} characters.`;
      return issues.error('recipe_too_large', [], message);
    }
    if (next.path.length > depthLimit) {
      return issues.error('recipe_too_deep', [], `A recipe nests at most ${depthLimit} levels.`);
    }
    checkValue(next, waiting, issues);
  }
}

function checkValue({ value, path }: Place, waiting: Place[], issues: IssueList): void {
  if (typeof value === 'string') {
    if (hasBrokenText(value)) issues.error('invalid_text', path, 'This text has a NUL or is not valid Unicode.');
  } else if (typeof value === 'object' && value !== null) {
    checkMembers(value, path, waiting, issues);
  } else if (typeof value !== 'number' && typeof value !== 'boolean' && value !== null) {
    issues.error('wrong_type', path, 'This is not plain data.');
  }
}

function checkMembers(value: object, path: Path, waiting: Place[], issues: IssueList): void {
  if (!Array.isArray(value) && !isPlain(value)) issues.error('wrong_type', path, 'This is not plain data.');
  else if (Object.keys(value).length > membersLimit) {
    issues.error('recipe_too_large', path, `A list or mapping of a recipe has at most ${membersLimit} members.`);
  } else if (Array.isArray(value)) {
    value.forEach((item, index) => waiting.push({ value: item, path: [...path, index] }));
  } else checkKeys(value, path, waiting, issues);
}

function checkKeys(value: object, path: Path, waiting: Place[], issues: IssueList): void {
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
