import type { RecipeIssue } from './errors.js';
import { type Path, pointerOf } from './pointers.js';
import type { FindPosition } from './positions.js';

/** More issues than a person reads; a hostile recipe may have one a byte. */
const mostIssues = 100;

/** Collects what is found in one document, each with its place in the text. */
export class IssueList {
  readonly issues: RecipeIssue[] = [];
  private readonly seen = new Set<string>();
  private errors = 0;

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
    return this.errors > 0;
  }

  /** Nothing more is taken. */
  get isFull(): boolean {
    return this.issues.length >= mostIssues && this.hasErrors;
  }

  private add(
    severity: RecipeIssue['severity'],
    code: string,
    path: Path,
    message: string,
    what: 'key' | 'value',
  ): void {
    // Errors decide: one is kept even when warnings have filled the list.
    if (this.issues.length >= mostIssues && (severity === 'warning' || this.errors > 0)) return;
    const pointer = pointerOf([...this.prefix, ...path]);
    const identity = `${code} ${pointer}`;
    if (this.seen.has(identity)) return;
    if (severity === 'error') this.errors += 1;
    this.seen.add(identity);
    this.issues.push({ severity, code, message, pointer, ...this.findPosition(path, what) });
  }
}
