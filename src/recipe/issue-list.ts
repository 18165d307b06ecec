import { RecipeError, type RecipeIssue } from './errors.js';
import { type Path, pointerOf } from './pointers.js';
import type { FindPosition } from './positions.js';

/** More issues than a person reads; a hostile recipe may have one a byte. */
const mostIssues = 100;

/** Collects what is found in one document, each with its place in the text. */
export class IssueList {
  readonly issues: RecipeIssue[] = [];
  private readonly seen = new Set<string>();

  /**
   * @param prefix Path of the document within its file: empty, or its index when the file has several.
   * @param lenient Turns what only looks like a mistake into a warning.
   */
  constructor(
    private readonly findPosition: FindPosition,
    private readonly lenient: boolean,
    private readonly prefix: Path = [],
  ) {}

  error(code: string, path: Path, message: string, what: 'key' | 'value' = 'value'): void {
    this.add('error', code, path, message, what);
  }

  warn(code: string, path: Path, message: string, what: 'key' | 'value' = 'value'): void {
    this.add('warning', code, path, message, what);
  }

  /** An error that the sender may overrule: MergeKit carries such a recipe out, in a way that its author hardly meant. */
  suspect(code: string, path: Path, message: string, what: 'key' | 'value' = 'value'): void {
    this.add(this.lenient ? 'warning' : 'error', code, path, message, what);
  }

  get hasErrors(): boolean {
    return this.issues.some((issue) => issue.severity === 'error');
  }

  /** @throws RecipeError with everything that was found, when one of it is an error. */
  throwErrors(): void {
    if (this.hasErrors) throw new RecipeError(this.issues);
  }

  private add(
    severity: RecipeIssue['severity'],
    code: string,
    path: Path,
    message: string,
    what: 'key' | 'value',
  ): void {
    const pointer = pointerOf([...this.prefix, ...path]);
    const identity = `${code} ${pointer}`;
    if (this.seen.has(identity)) return;
    // Errors decide: they are kept even when warnings have filled the list.
    if (this.issues.length >= mostIssues && (severity === 'warning' || this.hasErrors)) return;
    this.seen.add(identity);
    this.issues.push({ severity, code, message, pointer, ...this.findPosition(path, what) });
  }
}
