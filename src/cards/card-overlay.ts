import type { VersionLicence } from '../licences/licences.schema.js';
import { markdownCode, markdownText } from './markdown.js';

/** What came to light about a version after its card was written. The stored card itself never changes. */
export interface CardOverlay {
  approval?: VersionLicence['approval'];
}

/** Each a paragraph that stands before everything else; advisories and evaluations join here. Empty: nothing is new. */
export function overlayText({ approval }: CardOverlay): string {
  const parts: string[] = [];
  if (approval) {
    const { approvedBy, createdAt, reason } = approval;
    const day = createdAt.slice(0, 10);
    parts.push(`**Licence approved** by ${markdownCode(approvedBy)} on ${day}: ${markdownText(reason)}`);
  }
  return parts.map((part) => `> ${part}\n`).join('\n');
}

/**
 * Where in a card the overlay goes: right behind the front matter, because further down an open fence or comment of a
 * stranger's text could swallow it.
 * @param head the beginning of the card, with all of its front matter @returns a place in bytes
 */
export function overlayPlace(head: Buffer): number {
  const text = head.toString('latin1');
  const [, matter = ''] = /^((?:\xEF\xBB\xBF)?---[ \t]*\r?\n(?:[^]*?\r?\n)?---[ \t]*\r?\n)/.exec(text) ?? [];
  return matter.length;
}
