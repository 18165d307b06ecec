import type { HubDownloads } from './hub-download.js';
import { HubError, readingRefusal } from './hub-error.js';
import { HubFileReader, type HubLine } from './hub-file-reader.js';
import type { HubReference } from './hub-reference.js';
import { type HubFile, HubRepository } from './hub-repository.js';
import type { HubTransport } from './hub-transport.js';

/** A repository of models at one commit: what it has cannot change any more. */
export interface PinnedModel {
  /** `org/name` as it is called now: renamed repositories are followed. */
  repository: string;
  /** 40 hexadecimal digits. */
  commit: string;
  files: HubFile[];
}

const defaultRevision = 'main';

/** Reads models of the Hub. One per process, for its connections. */
export class HubModels {
  constructor(
    private readonly transport: HubTransport,
    private readonly downloads: HubDownloads,
    private readonly hubUrl: string,
  ) {}

  /**
   * Pins a reference to the commit that it means now.
   * @throws AppError hub_repository_not_found, hub_revision_not_found, hub_gated, hub_token_refused, hub_forbidden,
   * hub_unavailable, hub_refused
   */
  async pin({ repository, revision = defaultRevision }: HubReference, line: HubLine): Promise<PinnedModel> {
    return this.refusing(repository, line.token, async () => {
      const { token, signal, onWait } = line;
      const asked = new HubRepository(this.transport, this.hubUrl, repository, token, signal, onWait);
      const info = await asked.findInfo();
      if (!info) throw new HubError(404, 'RepoNotFound', `${repository} is not there`);
      const hub = asked.renamed(info.id);
      const commit = await hub.findCommit(revision);
      if (commit === undefined) {
        throw new HubError(404, 'RevisionNotFound', `${info.id} has no revision ${revision} on the Hub.`);
      }
      if (!/^[0-9a-f]{40}$/.test(commit)) throw new HubError(422, undefined, 'The Hub named a commit that is none.');
      return { repository: info.id, commit, files: await hub.listFiles(commit) };
    });
  }

  /** @throws HubError when it reads */
  reader({ repository, commit }: Omit<PinnedModel, 'files'>, file: HubFile, line: HubLine): HubFileReader {
    const path = file.path.split('/').map(encodeURIComponent).join('/');
    const url = new URL(`${this.hubUrl}/${repository}/resolve/${commit}/${path}`);
    return new HubFileReader(this.downloads, url, file.bytes, line);
  }

  /** Says what the Hub's refusals mean to somebody who reads. */
  async refusing<T>(repository: string, token: string | undefined, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw error instanceof HubError ? readingRefusal(error, repository, token !== undefined) : error;
    }
  }

  close(): void {
    this.downloads.close();
  }
}
