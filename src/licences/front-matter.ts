import { findCustomName, findLicenceId, isListed, termsOf } from './licence-id.js';

/** What a model card says of its licence and its origin. */
export interface CardStatement {
  /** In the policy's spelling; undefined when it says none. */
  licence?: string;
  link?: string;
  /** Names of the models it was made from, as they stand there. */
  bases: string[];
  /** Codes of languages, in their usual spelling. */
  languages: string[];
  tags: string[];
}

/** The front matter comes first; beyond this it is no front matter but a document. */
export const FRONT_MATTER_BYTES = 65_536;
const mostBases = 64;
const mostNameCharacters = 200;
const mostLanguages = 200;
const mostTags = 100;
const languagePattern = /^(?:[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*|multilingual|code)$/;

/**
 * Looks for single lines instead of parsing YAML: a card is free text that strangers wrote, and one that cannot be read is
 * not worth refusing a model. What is not understood counts as not said, which asks for a person.
 */
export function readCard(readme: string): CardStatement {
  const lines = frontMatterLines(readme);
  const [licence] = valuesOf(lines, 'license');
  const [name] = valuesOf(lines, 'license_name');
  const [link] = valuesOf(lines, 'license_link');
  const stated = licence === undefined ? undefined : licenceFrom(licence, name);
  const bases = valuesOf(lines, 'base_model').filter((each) => each.length <= mostNameCharacters);
  return {
    ...(stated !== undefined && { licence: stated }),
    ...(link !== undefined && { link }),
    bases: distinct(bases, mostBases),
    languages: distinct(
      valuesOf(lines, 'language').filter((each) => languagePattern.test(each)),
      mostLanguages,
    ),
    tags: distinct(
      valuesOf(lines, 'tags').filter((each) => each.length <= mostNameCharacters),
      mostTags,
    ),
  };
}

/** `other` with a name is `other:NAME`; some name a text there that the Hub has an identifier for. */
function licenceFrom(licence: string, name: string | undefined): string | undefined {
  const id = findLicenceId(licence);
  if (id !== 'other:unnamed' || name === undefined) return id;
  const known = findLicenceId(name);
  // Only towards more duties: `other` named after a free licence stays a text that somebody must read.
  if (known !== undefined && isListed(known) && termsOf(known).family !== 'unknown' && !isFree(known)) return known;
  return findCustomName(name) ?? id;
}

function isFree(id: string): boolean {
  return ['public-domain', 'permissive', 'attribution'].includes(termsOf(id).family);
}

function frontMatterLines(readme: string): string[] {
  const lines = readme.replace(/^\uFEFF/, '').split(/\r?\n/);
  if (lines[0]?.trim() !== '---') return [];
  const end = lines.findIndex((line, at) => at > 0 && line.trim() === '---');
  return end === -1 ? [] : lines.slice(1, end);
}

/** A scalar, a list in brackets, or a list of lines with dashes under a key that begins its line. */
function valuesOf(lines: readonly string[], key: string): string[] {
  const at = lines.findIndex((line) => line.startsWith(`${key}:`));
  if (at < 0) return [];
  const rest = withoutComment(lines[at]?.slice(key.length + 1) ?? '').trim();
  if (rest.startsWith('[')) {
    const inside = [rest.slice(1), ...lines.slice(at + 1)].join(' ').split(']')[0] ?? '';
    return inside.split(',').flatMap(unquoted);
  }
  if (rest !== '') return unquoted(rest);
  const below = lines.slice(at + 1);
  const end = below.findIndex((line) => line.trim() !== '' && !/^\s*-(?:\s|$)/.test(line));
  return below
    .slice(0, end === -1 ? undefined : end)
    .flatMap((line) => unquoted(withoutComment(line).replace(/^\s*-/, '')));
}

function withoutComment(text: string): string {
  return text.replace(/(^|\s)#.*$/, '$1');
}

function distinct(values: readonly string[], most: number): string[] {
  return [...new Set(values)].slice(0, most);
}

function unquoted(text: string): string[] {
  const value = text
    .trim()
    .replace(/^(["'])(.*)\1$/, '$2')
    .trim();
  return value === '' || value === 'null' || value === '~' ? [] : [value];
}
