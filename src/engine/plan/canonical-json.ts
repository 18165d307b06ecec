import { createHash } from 'node:crypto';

/** JSON with sorted keys and no spaces: equal values give equal texts (RFC 8785 for the values that plans hold). */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${entries.join(',')}}`;
}

export function sha256Hex(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** The first 53 bits of a recipe's digest: the seed of a merge for which none was given. */
export function defaultSeed(canonicalRecipe: object): number {
  return Number(BigInt(`0x${sha256Hex(canonicalJson(canonicalRecipe)).slice(0, 16)}`) >> 11n);
}
