import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FileSource } from './file-source.js';
import { HubError } from '../hub/hub-error.js';
import type { HubRepository } from '../hub/hub-repository.js';
import { hasBytesOf, type PlannedFile, staleFiles } from './publication-plan.js';

export interface CommitWork {
  repository: HubRepository;
  revision: string;
  files: readonly PlannedFile[];
  source: FileSource;
  /** Paths that an earlier publication to the same place brought. */
  earlier: ReadonlySet<string>;
  summary: string;
  description: string;
  /** Head of the revision before the first attempt at this commit, when there was one. */
  parent?: string | undefined;
  /** Called before each attempt: once it returns, the commit may exist. */
  onParent: (parent: string) => Promise<void>;
  signal: AbortSignal;
}

interface Change {
  write: PlannedFile[];
  remove: string[];
}

/** The Hub may still be at a commit whose answer was lost; and others may commit at the same time. */
const attempts = 12;
const waitMs = 1_000;
const longestWaitMs = 30_000;

/**
 * Makes the one commit that brings the files, so that the repository never shows half a model. It is made once, also
 * when its answer is lost: before each attempt the Hub is asked what it has.
 * @returns the commit that brought the files; the head when they were there before
 */
export async function commitFiles(work: CommitWork): Promise<string> {
  const { repository, revision, signal } = work;
  let { parent } = work;
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    const head = await repository.findCommit(revision);
    if (head === undefined)
      throw new HubError(404, 'RevisionNotFound', `The Hub has no revision ${revision} any more.`);
    const change = await changeAt(work, head);
    if (change.write.length === 0 && change.remove.length === 0) return findOurs(work, head, parent);
    parent = head;
    await work.onParent(head);
    try {
      const body = (): Promise<Readable> => Promise.resolve(Readable.from(linesOf(work, change, head)));
      return (await repository.commit(revision, body)).commitOid;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof HubError) || attempt >= attempts) throw error;
      const isOvertaken = error.status === 409 || error.status === 412;
      if (!isOvertaken && !error.isPassing) throw error;
      const milliseconds = (error.waitSeconds ?? 0) * 1_000 || Math.min(waitMs * 2 ** (attempt - 1), longestWaitMs);
      await sleep(isOvertaken ? 0 : milliseconds, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}

/** What a revision lacks of the plan. Nothing: it is there, byte for byte. */
export async function changeAt(
  { repository, files, source, earlier }: Pick<CommitWork, 'repository' | 'files' | 'source' | 'earlier'>,
  revision: string,
): Promise<Change> {
  const there = await repository.listFiles(revision);
  const byPath = new Map(there.map((file) => [file.path, file]));
  const write: PlannedFile[] = [];
  for (const file of files) {
    const isThere = await hasBytesOf(byPath.get(file.path), file, () => source.read(file, file.bytes));
    if (!isThere) write.push(file);
  }
  return { write, remove: staleFiles(there, files, earlier) };
}

/** Others may have committed after ours, whose answer was lost: ours is the one whose parent was the head before it. */
async function findOurs({ repository, revision }: CommitWork, head: string, parent: string | undefined) {
  if (parent === undefined || parent === head) return head;
  const commits = await repository.listCommits(revision);
  const at = commits.indexOf(parent);
  return commits[at - 1] ?? head;
}

async function* linesOf(
  { source, summary, description }: CommitWork,
  { write, remove }: Change,
  parentCommit: string,
): AsyncGenerator<string> {
  const line = (key: string, value: object): string => `${JSON.stringify({ key, value })}\n`;
  yield line('header', { summary, description, parentCommit });
  for (const file of write) {
    const { path, sha256: oid, bytes: size } = file;
    if (file.mode === 'lfs') yield line('lfsFile', { path, algo: 'sha256', oid, size });
    else {
      const content = (await source.read(file, size)).toString('base64');
      yield line('file', { path, content, encoding: 'base64' });
    }
  }
  for (const path of remove) yield line('deletedFile', { path });
}
