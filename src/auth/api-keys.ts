import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

export interface NamedKey {
  name: string;
  /** Lower-case hex. 256 random bits need no slow hash. */
  sha256: string;
}

/** Name of whoever calls a server that has no keys. */
export const localPrincipal = 'local';

/** Recognisable in leaked text by secret scanners. */
const prefix = 'amalgam_';

/**
 * Makes a key that is shown once.
 * @returns the key for its user, and the entry for AMALGAM_API_KEYS, which does not contain it
 */
export function newApiKey(name: string): { key: string; line: string } {
  if (!/^[a-z0-9][a-z0-9._-]{0,63}$/i.test(name)) {
    throw new RangeError('A key name has letters, digits, dots, dashes and underscores, 64 at most.');
  }
  const key = prefix + randomBytes(32).toString('base64url');
  return { key, line: `${name}:${sha256(key).toString('hex')}` };
}

/** Finds whose key this is; takes the same time whichever entry matches, or none. */
export function findPrincipal(keys: readonly NamedKey[], presented: string): string | undefined {
  const digest = sha256(presented);
  let found: string | undefined;
  for (const { name, sha256: hex } of keys) {
    if (timingSafeEqual(Buffer.from(hex, 'hex'), digest)) found = name;
  }
  return found;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
