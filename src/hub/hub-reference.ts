/** A model on the Hub, as users write it: `hf:org/name` or `hf:org/name@revision`. */
export interface HubReference {
  /** `org/name`. */
  repository: string;
  /** Branch, tag, commit or `refs/pr/1`; undefined means the default branch. */
  revision: string | undefined;
}

const part = '[A-Za-z0-9_](?:[A-Za-z0-9_-]|\\.(?![.]))*';
const repositoryPattern = new RegExp(`^(${part})/(${part})$`);
const maxPart = 96;
/** What git allows in the name of a reference, without what would change the meaning of a URL. */
const revisionPattern = /^[A-Za-z0-9_](?:[A-Za-z0-9_.+/-]*[A-Za-z0-9_+-])?$/;

/** Whether `org/name` can be a repository of the Hub. */
export function isHubRepository(text: string): boolean {
  const [, organization = '', name = ''] = repositoryPattern.exec(text) ?? [];
  const parts = [organization, name];
  if (parts.some((each) => each === '' || each.length > maxPart || /--|\.$|-$/.test(each))) return false;
  return !/\.(?:git|ipynb)$/.test(name);
}

export function isHubRevision(text: string): boolean {
  return text.length <= 200 && revisionPattern.test(text) && !/\.\.|\/\/|@\{|\.lock(?:\/|$)|\/\./.test(text);
}

/** Undefined when the text is no reference to the Hub. The scheme is needed: without it a name means the registry. */
export function findHubReference(text: string): HubReference | undefined {
  const [, repository = '', revision] = /^hf:([^@]*)(?:@(.*))?$/s.exec(text) ?? [];
  if (!isHubRepository(repository)) return undefined;
  if (revision !== undefined && !isHubRevision(revision)) return undefined;
  return { repository, revision };
}

/** The text that `findHubReference` reads as the same. */
export function formatHubReference({ repository, revision }: HubReference): string {
  return revision === undefined ? `hf:${repository}` : `hf:${repository}@${revision}`;
}
