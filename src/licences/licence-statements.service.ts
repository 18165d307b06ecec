import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { objectFiles } from '../models/object-files.js';
import { type StoredFile, VersionsService } from '../models/versions.service.js';
import { OBJECT_STORE } from '../platform/tokens.js';
import type { ObjectStore } from '../storage/object-store.js';
import { FRONT_MATTER_BYTES, readCard } from './front-matter.js';
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

/** Versions are immutable, and so is what was read from them. */
const mostRemembered = 1_000;

/** Reads what versions say of their licence. */
@Injectable()
export class LicenceStatements {
  readonly #remembered = new Map<string, LicenceStatement>();

  constructor(
    private readonly database: DataSource,
    private readonly versions: VersionsService,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
  ) {}

  /** @param stated what the registry holds for the version, set when it was completed */
  async read(versionId: string, stated: string | null): Promise<LicenceStatement> {
    const known = this.#remembered.get(versionId);
    if (known) return known;
    const files = await this.versions.listFiles(this.database.manager, versionId);
    const statement = await readStatement(this.store, files, stated ?? undefined);
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size >= mostRemembered && oldest !== undefined) this.#remembered.delete(oldest);
    this.#remembered.set(versionId, statement);
    return statement;
  }

  /** The licence files of a version, and its NOTICE. */
  async texts(versionId: string): Promise<LicenceText[]> {
    const files = await this.versions.listFiles(this.database.manager, versionId);
    return licenceTexts(this.store, files, (path) => licenceFilePattern.test(path) || /^notice/i.test(path));
  }
}

/**
 * Where file, card and uploader differ, each later one is a label on the earlier: so a label that drops what the file
 * demands is found out in the same way as one that drops what an ancestor demands.
 */
export async function readStatement(
  store: ObjectStore,
  files: readonly StoredFile[],
  stated?: string,
): Promise<LicenceStatement> {
  const card = await readReadme(store, files);
  const texts = await licenceTexts(store, files, (path) => licenceFilePattern.test(path));
  const found = texts.flatMap(({ licence }) => licence ?? []);
  const own = stated === undefined ? undefined : statedLicence(stated, card.licence);
  const licences = [...found, card.licence, own].filter((each) => each !== undefined);
  return { licences: licences.filter((each, at) => each !== licences[at - 1]), bases: card.bases };
}

/** Versions made before `other:NAME` was stored have the bare name; it means the card's licence. */
function statedLicence(stated: string, card: string | undefined): string | undefined {
  const id = findLicenceId(stated);
  return card !== undefined && card === findCustomName(stated) ? card : id;
}

async function readReadme(store: ObjectStore, files: readonly StoredFile[]): Promise<ReturnType<typeof readCard>> {
  const readme = files.find(({ path }) => path === 'README.md');
  if (!readme) return { bases: [] };
  return readCard(await textOf(store, files, readme, FRONT_MATTER_BYTES));
}

async function licenceTexts(
  store: ObjectStore,
  files: readonly StoredFile[],
  isWanted: (path: string) => boolean,
): Promise<LicenceText[]> {
  const texts: LicenceText[] = [];
  for (const file of files.filter(({ path }) => isWanted(path))) {
    const text = await textOf(store, files, file, LICENCE_TEXT_BYTES);
    const licence = licenceFilePattern.test(file.path) ? recogniseLicence(text) : undefined;
    texts.push({ path: file.path, text, ...(licence !== undefined && { licence }) });
  }
  return texts;
}

async function textOf(
  store: ObjectStore,
  files: readonly StoredFile[],
  { path, bytes }: StoredFile,
  most: number,
): Promise<string> {
  if (bytes === 0) return '';
  return Buffer.from(await objectFiles(store, files).read(path, 0, Math.min(bytes, most))).toString('utf8');
}
