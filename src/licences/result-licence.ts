import { compare } from './closure.js';
import { termsOf } from './licence-id.js';
import { notableOrder } from './licence-policy.js';

/** What the whole may be put under: one licence, or several texts that hold together. */
export interface ResultLicence {
  /** A Hub identifier, `other` for several or custom texts, `-` for none. */
  licence: string;
  /** The texts, as a `license_name` joins them; undefined with an identifier of its own. */
  name?: string;
}

export const noLicence: ResultLicence = { licence: '-' };

/** @param licences all of the closure, none of which denies or is still to be found */
export function resultLicence(licences: readonly string[]): ResultLicence {
  const strong = licences.filter((id) => !notableOrder.includes(id));
  if (strong.length === 0) return { licence: notableOrder.findLast((id) => licences.includes(id)) ?? '-' };
  const texts = newestOfLines(absorbed(strong)).sort(compare);
  const [only = '-'] = texts;
  if (texts.length === 1 && !only.startsWith('other:') && termsOf(only).family !== 'custom') return { licence: only };
  return { licence: 'other', name: texts.map((id) => id.replace(/^other:/, '')).join('-and-') };
}

/** One ShareAlike licence takes in the others, and what is non-commercial without it. */
function absorbed(licences: readonly string[]): string[] {
  const common = commonShareAlike(licences);
  if (common === undefined) return [...licences];
  const { demands } = termsOf(common);
  const isTakenIn = (id: string): boolean => {
    const { family, demands: own } = termsOf(id);
    return (
      own['share-alike'] !== undefined || (family === 'creative-commons' && demands['non-commercial'] !== undefined)
    );
  };
  return [common, ...licences.filter((id) => !isTakenIn(id))];
}

/**
 * The nearest licence that all ShareAlike licences may become; undefined when there is none, or no such licence at all.
 * It need not be one of them: CC BY-SA 4.0 and LGPLv3 meet in GPLv3.
 */
export function commonShareAlike(licences: readonly string[]): string | undefined {
  const [first, ...others] = licences.filter(isShareAlike).map(reachable);
  return first?.find((id) => others.every((each) => each.includes(id)));
}

export function isShareAlike(id: string): boolean {
  return termsOf(id).demands['share-alike'] !== undefined;
}

/** The licence itself and every one that it may become, nearest first. */
export function reachable(id: string): string[] {
  const found = [id];
  for (const each of found) {
    for (const next of Object.keys(termsOf(each).becomes ?? {})) if (!found.includes(next)) found.push(next);
  }
  return found;
}

function newestOfLines(licences: readonly string[]): string[] {
  const newest = new Map<string, number>();
  for (const { line } of licences.map(termsOf)) {
    if (line !== undefined) newest.set(line.name, Math.max(line.order, newest.get(line.name) ?? line.order));
  }
  return licences.filter((id) => {
    const { line } = termsOf(id);
    return line === undefined || newest.get(line.name) === line.order;
  });
}
