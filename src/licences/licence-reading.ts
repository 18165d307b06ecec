import type { CheckpointFiles } from '../engine/index.js';
import type { LicenceNode } from './closure.js';
import { type CardStatement, FRONT_MATTER_BYTES, readCard } from './front-matter.js';
import { findOrigin } from './known-origins.js';
import { findCustomName, findLicenceId } from './licence-id.js';
import { LICENCE_TEXT_BYTES, licenceFilePattern, recogniseLicence } from './licence-texts.js';

/** What a version's own files and its uploader say. */
export interface LicenceStatement {
  /** Oldest claim first: what the licence file is, what the card says, what the uploader said. None: nobody says anything. */
  licences: string[];
  /** Names of the models that the card says it was made from. */
  bases: string[];
}

export interface LicenceText {
  path: string;
  text: string;
  /** Undefined when no phrase in it is known. */
  licence?: string;
}

const noticePattern = /^notice(?:[._-][a-z0-9._-]*)?$/i;

/**
 * Where file, card and uploader differ, each later one is a label on the earlier: so a label that drops what the file
 * demands is found out in the same way as one that drops what an ancestor demands.
 */
export async function readStatement(files: CheckpointFiles, stated?: string): Promise<LicenceStatement> {
  const card = await readModelCard(files);
  const texts = await readLicenceTexts(files);
  const found = texts.flatMap(({ licence }) => licence ?? []);
  const own = stated === undefined ? undefined : statedLicence(stated, card.licence);
  const licences = [...found, card.licence, own].filter((each) => each !== undefined);
  return { licences: licences.filter((each, at) => each !== licences[at - 1]), bases: card.bases };
}

/** The licence and notice files of a model, with the licence that each is. */
export async function readLicenceTexts(files: CheckpointFiles): Promise<LicenceText[]> {
  const texts: LicenceText[] = [];
  for (const file of await files.list()) {
    const isLicence = licenceFilePattern.test(file.path);
    if (!isLicence && !noticePattern.test(file.path)) continue;
    const text = await textOf(files, file, LICENCE_TEXT_BYTES);
    const licence = isLicence ? recogniseLicence(text) : undefined;
    texts.push({ path: file.path, text, ...(licence !== undefined && { licence }) });
  }
  return texts;
}

/**
 * One node a claim, each made from the one before; the last is the model.
 * @param parents nodes of what the first claim was made from @param add puts a node down and gives its index
 */
export function addClaims(
  { name, licences, parents }: { name: string; licences: readonly (string | null)[]; parents: readonly number[] },
  add: (node: LicenceNode) => number,
): number {
  const [first = 'unknown', ...others] = licences;
  return others.reduce(
    (last, licence) => add({ licence, name, parents: [last] }),
    add({ licence: first, name, parents }),
  );
}

/** A base that nothing but its name is known of. Cards name directories and buckets too, which nobody else needs to see. */
export function originNode(base: string): LicenceNode {
  const isPublic = /^[A-Za-z0-9][\w.-]*(?:\/[A-Za-z0-9][\w.-]*)?$/.test(base);
  return { licence: findOrigin(base) ?? 'unknown', name: isPublic ? base : 'a model of a private place', parents: [] };
}

/** Versions made before `other:NAME` was stored have the bare name; it means the card's licence. */
function statedLicence(stated: string, card: string | undefined): string | undefined {
  const id = findLicenceId(stated);
  return card !== undefined && card === findCustomName(stated) ? card : id;
}

/** The front matter of a model's README; nothing without one. */
export async function readModelCard(files: CheckpointFiles): Promise<CardStatement> {
  const readme = (await files.list()).find(({ path }) => path === 'README.md');
  return readCard(readme === undefined ? '' : await textOf(files, readme, FRONT_MATTER_BYTES));
}

async function textOf(
  files: CheckpointFiles,
  { path, bytes }: { path: string; bytes: number },
  most: number,
): Promise<string> {
  if (bytes === 0) return '';
  return Buffer.from(await files.read(path, 0, Math.min(bytes, most))).toString('utf8');
}
