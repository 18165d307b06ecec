/** Addresses, buckets and absolute paths: where somebody keeps a model tells of their machines, and nothing of the model. */
const location =
  /(?<![\w./@:-])(?:[a-z][a-z0-9+.-]*:\/\/[^\s"'`,\]}>)]+|(?:~[\w-]*)?\/[^\s"'`,\]}>)]+|[A-Za-z]:\\[^\s"'`,\]}>)]+|\\\\[^\s"'`,\]}>)]+)/gi;

/** Papers and the programs' own pages are no secret. */
const publicAddress =
  /^https:\/\/(?:arxiv\.org|doi\.org|aclanthology\.org|huggingface\.co|github\.com|openreview\.net)\//i;

/**
 * Text without private locations: of a path its last part stays, which is the model's name; of an address nothing does.
 * Hub references (`hf:org/name`) and relative names stay.
 */
export function withoutLocations(text: string): string {
  return text.replace(location, (found) => {
    if (publicAddress.test(found)) return found;
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(found)) return 'private-location';
    return found.split(/[/\\]/).findLast((part) => part !== '') ?? 'private-location';
  });
}
