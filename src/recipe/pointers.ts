/** Where something is in a recipe: the keys and indexes from its root. */
export type Path = readonly (string | number)[];

/** The RFC 6901 JSON pointer of a path; the root is the empty string. */
export function pointerOf(path: Path): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
