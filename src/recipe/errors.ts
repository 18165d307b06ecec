/** One thing that is wrong, or worth knowing, about a recipe. */
export interface RecipeIssue {
  severity: 'error' | 'warning';
  /** Stable snake_case identifier: programs may compare it, the message may be reworded. */
  code: string;
  /** A sentence that a person can act on. */
  message: string;
  /** RFC 6901 pointer into the recipe; of several YAML documents, the first part is the document's index. */
  pointer: string;
  /** 1-based; only when the recipe was YAML text. */
  line?: number;
  /** 1-based; only when the recipe was YAML text. */
  column?: number;
}

/** A recipe that is refused, with every reason that was found. `code` is the first error's. */
export class RecipeError extends Error {
  readonly code: string;

  constructor(readonly issues: RecipeIssue[]) {
    const first = issues.find((issue) => issue.severity === 'error') ?? issues[0];
    const more = issues.filter((issue) => issue.severity === 'error').length - 1;
    super(`${first?.message ?? 'The recipe is not valid.'}${more > 0 ? ` (and ${more} more)` : ''}`);
    this.name = 'RecipeError';
    this.code = first?.code ?? 'invalid_recipe';
  }
}
