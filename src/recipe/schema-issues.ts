import type { z } from 'zod';
import type { IssueList } from './issue-list.js';
import { findMeant } from './near-miss.js';
import { type Path, pointerOf } from './pointers.js';

type ZodIssue = z.core.$ZodIssue;

/** Adds what the schema refused, in sentences, each at the deepest place that explains it. */
export function addSchemaIssues(found: readonly ZodIssue[], written: unknown, issues: IssueList): void {
  for (const issue of found) {
    if (issues.isFull) return;
    addIssue(issue, [], written, issues);
  }
}

function addIssue(issue: ZodIssue, parent: Path, root: unknown, issues: IssueList): void {
  const path: Path = [...parent, ...issue.path.map((part) => (typeof part === 'number' ? part : String(part)))];
  const value = valueAt(root, path);
  if (typeof value === 'number' && !Number.isFinite(value)) {
    issues.error('not_finite', path, `${nameOf(path)} must be a finite number.`);
    return;
  }
  if (value === undefined || value === null) {
    issues.error('missing_field', path, `${nameOf(path)} ${value === null ? 'has no value' : 'is missing'}.`);
    return;
  }
  if (issue.code === 'invalid_union') {
    const branch = likeliestBranch(issue.errors);
    if (branch === undefined)
      issues.error('wrong_type', path, `${nameOf(path)} ${issue.message}, not ${describe(value)}.`);
    else for (const inner of branch) addIssue(inner, path, root, issues);
    return;
  }
  const { code, message } = explain(issue, path, value);
  issues.error(code, path, message);
}

function explain(issue: ZodIssue, path: Path, value: unknown): { code: string; message: string } {
  const name = nameOf(path);
  switch (issue.code) {
    case 'custom':
      return { code: String(issue.params?.['code'] ?? 'invalid_value'), message: issue.message };
    case 'invalid_value':
      if (path.at(-1) === 'merge_method') return explainMethod(value, issue.values.map(String));
      return { code: 'invalid_value', message: `${name} must be one of ${issue.values.map(String).join(', ')}.` };
    case 'too_small':
      return { code: 'empty_list', message: `${name} needs at least ${issue.minimum} of them.` };
    case 'too_big':
      if (typeof value === 'string') {
        return { code: 'invalid_pattern', message: `${name} may have at most ${issue.maximum} characters.` };
      }
      return { code: 'invalid_value', message: `${name} may have at most ${issue.maximum} of them.` };
    case 'unrecognized_keys':
      return {
        code: 'unknown_key',
        message: `${name} has keys that mean nothing there: ${issue.keys.join(', ').slice(0, 200)}.`,
      };
    case 'invalid_type': {
      const hint = issue.expected === 'string' && typeof value !== 'object' ? ' (quotes make it a string)' : '';
      return {
        code: 'wrong_type',
        message: `${name} must be ${article(issue.expected)}, not ${describe(value)}${hint}.`,
      };
    }
    case 'invalid_format':
      return { code: 'wrong_type', message: `${name} ${issue.message}, not ${describe(value)}.` };
    default:
      return { code: 'invalid_value', message: `${name} cannot be ${describe(value)}.` };
  }
}

function explainMethod(value: unknown, known: string[]): { code: string; message: string } {
  if (typeof value !== 'string')
    return { code: 'wrong_type', message: `merge_method must be a string, not ${describe(value)}.` };
  const written = value.slice(0, 60);
  const meant = findMeant(written, known);
  const hint = meant === undefined ? `the methods are ${known.join(', ')}` : `“${meant}” was probably meant`;
  return { code: 'unknown_method', message: `There is no merge method “${written}”; ${hint}.` };
}

/** Of a union's branches the one that got furthest into the value: its complaint is about the form that was meant. */
function likeliestBranch(branches: ZodIssue[][]): ZodIssue[] | undefined {
  let best: { branch: ZodIssue[]; depth: number } | undefined;
  for (const branch of branches) {
    const depth = Math.min(...branch.map((issue) => depthOf(issue)));
    const further = depth > (best?.depth ?? 0);
    const shorter = depth === best?.depth && branch.length < best.branch.length;
    if (further || shorter) best = { branch, depth };
  }
  return best?.branch;
}

/** How far into the value the schema came before it complained; a complaint about content came further than one about type. */
function depthOf(issue: ZodIssue): number {
  if (issue.code === 'invalid_union') {
    const inner = likeliestBranch(issue.errors);
    return issue.path.length + (inner === undefined ? 0 : Math.min(...inner.map((found) => depthOf(found))));
  }
  return issue.path.length + (issue.code === 'invalid_type' ? 0 : 0.5);
}

function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}

function nameOf(path: Path): string {
  return path.length === 0 ? 'The recipe' : `“${pointerOf(path).slice(1).replaceAll('/', '.')}”`;
}

function article(expected: string): string {
  const names: Readonly<Record<string, string>> = {
    object: 'a mapping',
    record: 'a mapping',
    array: 'a list',
    tuple: 'a list of two integers',
    string: 'a string',
    number: 'a number',
    int: 'an integer',
    boolean: 'true or false',
  };
  return (Object.hasOwn(names, expected) ? names[expected] : undefined) ?? expected;
}

/** What a value is, in words, for messages that must not repeat whole documents. */
function describe(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value === 'string') return `“${value.slice(0, 60)}”`;
  if (typeof value === 'number') return `the number ${value}`;
  return value === true ? 'true' : 'false';
}
