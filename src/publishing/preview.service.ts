import { Inject, Injectable } from '@nestjs/common';
import type { Config } from '../config.js';
import { CONFIG } from '../platform/tokens.js';
import { type FileSource, FileSources } from './file-source.js';
import { HubError, refusalOf } from '../hub/hub-error.js';
import { type HubFile, HubRepository } from '../hub/hub-repository.js';
import { HubTokens } from '../hub/hub-tokens.service.js';
import { HubTransport } from '../hub/hub-transport.js';
import { cardFile } from './publication-card.js';
import { PublicationPlanning } from './publication-planning.service.js';
import { hasBytesOf, type PlannedFile, staleFiles } from './publication-plan.js';
import type { PublicationPreview, PublicationRequest } from './publications.schema.js';
import { placeOf, SubmittingService } from './submitting.service.js';

interface There {
  id: string;
  isPrivate: boolean;
  files: HubFile[];
}

/** Says what a publication would do, without doing any of it. */
@Injectable()
export class PreviewService {
  constructor(
    private readonly submitting: SubmittingService,
    private readonly planning: PublicationPlanning,
    private readonly sources: FileSources,
    private readonly tokens: HubTokens,
    private readonly transport: HubTransport,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** A verdict that forbids it is part of the answer. @throws AppError those of references and of the Hub */
  async preview(request: PublicationRequest, token: string | undefined): Promise<PublicationPreview> {
    const { id: versionId, namespace, name, version: number } = await this.submitting.resolve(request.version);
    const version = `${namespace}/${name}@${number}`;
    const { repository, revision, options } = placeOf(request);
    const { licence, plan } = await this.planning.preview({ versionId, version, repository });
    const there = await this.#look(repository, revision, token ?? (await this.tokens.find(namespace)));
    const source = await this.sources.get(versionId);
    const files = await compare(plan.files, there?.files ?? [], source);
    const card = plan.files.find(({ path }) => path === cardFile);
    return {
      ...{ dryRun: true as const, version, repository: `hf:${there?.id ?? repository}`, revision },
      repositoryExists: there !== undefined,
      visibility: options.visibility ?? (there?.isPrivate === true ? 'private' : 'public'),
      ...{ gated: options.gated ?? null, createPr: options.createPr, tag: options.tag ?? null },
      files,
      deletedFiles: staleFiles(there?.files ?? [], plan.files, new Set()),
      bytesToSend: files.reduce((sum, { bytes, change }) => sum + (change === 'unchanged' ? 0 : bytes), 0),
      licence,
      card: card === undefined ? '' : (await source.read(card, card.bytes)).toString(),
    };
  }

  async #look(repository: string, revision: string, token: string | undefined): Promise<There | undefined> {
    const hub = new HubRepository(
      ...([this.transport, this.config.hubUrl, repository, token] as const),
      AbortSignal.timeout(lookMs),
    );
    try {
      const info = await hub.findInfo();
      if (!info) return undefined;
      const renamed = hub.renamed(info.id);
      const at = (await renamed.findCommit(revision)) ?? (await renamed.findCommit('main'));
      return { ...info, files: at === undefined ? [] : await renamed.listFiles(at) };
    } catch (error) {
      if (error instanceof HubError) {
        // Without a token the Hub says of what does not exist that one has to log in.
        if (error.status === 401 && token === undefined) return undefined;
        throw refusalOf(error);
      }
      if ((error as Error).name === 'TimeoutError')
        throw refusalOf(new HubError(0, undefined, 'The Hub did not answer.'));
      throw error;
    }
  }
}

/** A person or a program waits for the answer. */
const lookMs = 10_000;

async function compare(
  files: readonly PlannedFile[],
  there: readonly HubFile[],
  source: FileSource,
): Promise<PublicationPreview['files']> {
  const byPath = new Map(there.map((file) => [file.path, file]));
  return Promise.all(
    files.map(async (file) => {
      const { path, bytes, sha256 } = file;
      const old = byPath.get(path);
      const isSame = await hasBytesOf(old, file, () => source.read(file, bytes));
      return { path, bytes, sha256, change: isSame ? 'unchanged' : old ? 'changed' : 'new' } as const;
    }),
  );
}
