import { AppError } from '../errors.js';
import { type LicenceTerms, licencePolicy, unlisted } from './licence-policy.js';

const idPattern = /^[a-z0-9][a-z0-9.+_-]{0,95}$/;

/**
 * A licence in the policy's spelling: a Hub identifier, `other:NAME` or `unknown`, in lower case.
 * @throws AppError licence_invalid
 */
export function parseLicenceId(text: string): string {
  const id = findLicenceId(text);
  if (id !== undefined) return id;
  throw new AppError(
    'licence_invalid',
    `${JSON.stringify(text.slice(0, 100))} is not a licence: write a Hub identifier such as apache-2.0, other:NAME or unknown.`,
  );
}

export function findLicenceId(text: string): string | undefined {
  const folded = text.trim().toLowerCase();
  const custom = /^other\s*:\s*(.*)$/s.exec(folded)?.[1];
  if (custom !== undefined) return findCustomName(custom);
  if (folded === 'other') return 'other:unnamed';
  return idPattern.test(folded) ? folded : undefined;
}

/** People write names in many ways: what is no letter, digit or one of `.+_-` becomes a dash. */
export function findCustomName(name: string): string | undefined {
  const slug = name
    .trim()
    .toLowerCase()
    .replace(/[^a-z0-9.+_-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 96);
  return slug === '' ? undefined : `other:${slug}`;
}

/** Own keys only: a licence may be called `constructor`. */
export function termsOf(id: string): LicenceTerms {
  return Object.hasOwn(licencePolicy, id) ? (licencePolicy[id] ?? unlisted(id)) : unlisted(id);
}

export function isListed(id: string): boolean {
  return Object.hasOwn(licencePolicy, id);
}
