import { type Finding, denials, questions, relaxed } from './clashes.js';
import type { Closure, PathStep } from './closure.js';
import { termsOf } from './licence-id.js';
import { type Obligation, inOrder } from './obligations.js';
import { noLicence, resultLicence } from './result-licence.js';

export const verdicts = ['allow', 'allow-with-obligations', 'needs-approval', 'deny'] as const;
/** For a public repository of text weights; from the mildest to the strictest. */
export type Verdict = (typeof verdicts)[number];

export interface Assessment {
  verdict: Verdict;
  /** What the card carries: a Hub identifier, `other` for several or custom texts, `-` for none. */
  resultLicence: string;
  /** `license_name` for `other`. */
  licenceName?: string | undefined;
  /** In the order of `obligations.ts`; none when denied. */
  obligations: Obligation[];
  why: string;
  /** The two paths that clash, or the one that is the reason; each oldest first. */
  paths: PathStep[][];
}

export interface AssessmentOptions {
  /** It shall earn money. */
  commercial?: boolean;
}

/** Decides over all models and all their ancestors. The order of the models does not matter. */
export function assess(closure: Closure, { commercial = false }: AssessmentOptions = {}): Assessment {
  const denied = denials(closure, commercial);
  if (denied.length > 0) {
    return { verdict: 'deny', resultLicence: '-', obligations: [], ...reasons(denied) };
  }
  const found = closure.licences.flatMap((id) => Object.keys(termsOf(id).demands) as Obligation[]);
  const obligations = inOrder(relaxed(closure).length > 0 ? [...found, 'relabel'] : found);
  const { licence, name } = obligations.includes('find-licence') ? noLicence : resultLicence(closure.licences);
  const rest = { resultLicence: licence, ...(name !== undefined && { licenceName: name }), obligations };
  const open = questions(closure);
  if (open.length > 0) return { verdict: 'needs-approval', ...rest, ...reasons(open) };
  if (obligations.length > 0) {
    return { verdict: 'allow-with-obligations', ...rest, why: duties(closure, obligations), paths: [] };
  }
  return { verdict: 'allow', ...rest, why: 'No licence in it sets a condition.', paths: [] };
}

/** All reasons as sentences; the paths are those of the first one. */
function reasons(found: readonly Finding[]): Pick<Assessment, 'why' | 'paths'> {
  const sentences = [...new Set(found.map(({ why }) => `${why}.`))];
  const shown = sentences.slice(0, mostReasons);
  const more = sentences.length - shown.length;
  const why = more === 0 ? shown.join(' ') : `${shown.join(' ')} And ${more} more.`;
  return { why, paths: found[0]?.paths ?? [] };
}

/** Enough to decide by; a hundred models can give thousands. */
const mostReasons = 8;

function duties(closure: Closure, obligations: readonly Obligation[]): string {
  const clauses = obligations.map((each) => {
    const sources = closure.licences.flatMap((id) => {
      const clause = termsOf(id).demands[each];
      return clause === undefined ? [] : [`${id} ${clause}`];
    });
    return `${each} (${sources.join(', ')})`;
  });
  return `Nothing in it forbids the other; to be carried out: ${clauses.join('; ')}.`;
}
