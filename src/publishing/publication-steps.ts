import { Inject, Injectable } from '@nestjs/common';
import { AppError } from '../errors.js';
import type { Config } from '../config.js';
import { CONFIG } from '../platform/tokens.js';
import { type FileSource, FileSources } from './file-source.js';
import { changeAt, commitFiles } from './hub-commit.js';
import { HubRepository, type UploadMode } from '../hub/hub-repository.js';
import { HubTransport } from '../hub/hub-transport.js';
import type { OnWait } from '../hub/hub-waiting.js';
import type { JobClaim } from '../platform/job-leases.js';
import type { PlannedFile } from './publication-plan.js';
import { PublicationPlanning } from './publication-planning.service.js';
import { branchOf, openPullRequest, readyPullRequest } from './pull-request.js';
import { type StoredPublication, StoredPublications } from './stored-publications.js';
import { Uploader } from './uploader.service.js';

/** Everything that the steps of one attempt share. */
export interface Attempt {
  claim: JobClaim;
  publication: StoredPublication;
  token: string;
  signal: AbortSignal;
  onWait: OnWait;
}

interface Work extends Attempt {
  hub: HubRepository;
  source: FileSource;
}

/** As many bytes as the Hub wants to see of a file before it says where that goes. */
const sampleBytes = 512;

/** What is done, state by state. Each step may have been done before by an attempt that died: none does anything twice. */
@Injectable()
export class PublicationSteps {
  constructor(
    private readonly stored: StoredPublications,
    private readonly planning: PublicationPlanning,
    private readonly sources: FileSources,
    private readonly uploader: Uploader,
    private readonly transport: HubTransport,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Goes on from whatever state the publication is in to its end. @throws HubError, AppError, StorageError, JobLost */
  async run(attempt: Attempt): Promise<void> {
    const { publication, claim } = attempt;
    const { repository, found } = publication;
    const hub = new HubRepository(
      ...([this.transport, this.config.hubUrl, found.repository ?? repository, attempt.token] as const),
      ...([attempt.signal, attempt.onWait] as const),
    );
    let work: Work = { ...attempt, hub, source: await this.sources.get(publication.versionId) };
    let { state } = publication;
    if (state === 'queued') {
      await this.stored.move(claim, 'plan');
      state = 'planning';
    }
    if (state === 'planning') {
      work = await this.#plan(work);
      state = 'uploading';
    }
    if (state === 'uploading') {
      await this.#upload(work);
      await this.stored.move(claim, 'commit');
      state = 'committing';
    }
    if (state === 'committing') {
      await this.#commit(work);
      state = 'settling';
    }
    if (state === 'settling') await this.#settle(work);
  }

  async #plan(work: Work): Promise<Work> {
    const { claim, publication, source } = work;
    const { options, revision } = publication;
    // Refused before anything is sent, or even made.
    const plan = await this.planning.plan(publication);
    const hub = await this.#prepareRepository(work);
    if (options.tag !== undefined) await this.#refuseTakenTag(hub, options.tag, publication.found.commit);
    if (!options.createPr && (await hub.findCommit(revision)) === undefined) await hub.createBranch(revision, 'main');
    const asked = await Promise.all(
      plan.files.map(async (file) => ({ ...file, sample: await source.read(file, sampleBytes) })),
    );
    const modes = await hub.uploadModes(revision, asked);
    const files = plan.files.map((file): PlannedFile => ({ ...file, mode: modeOf(file, modes.get(file.path)) }));
    await this.stored.plan(claim, { ...plan, files });
    publication.plan = { ...plan, files };
    return { ...work, hub };
  }

  /** The repository under its present name; made when it is missing, and hidden at once when that is asked for. */
  async #prepareRepository({ claim, publication, hub }: Work): Promise<HubRepository> {
    const { options } = publication;
    let info = await hub.findInfo();
    if (!info) {
      // Written down before it is made: after a crash between the two we must know that it is ours to open.
      await this.stored.find(claim, publication, { created: true });
      await hub.create();
      info = { id: hub.id, isPrivate: true };
    }
    if (options.visibility === 'private' && !info.isPrivate)
      await hub.renamed(info.id).settings({ visibility: 'private' });
    await this.stored.find(claim, publication, { repository: info.id });
    return hub.renamed(info.id);
  }

  async #refuseTakenTag(hub: HubRepository, tag: string, commit: string | undefined): Promise<void> {
    const { tags } = await hub.listRefs();
    const taken = tags.find(({ name }) => name === tag);
    if (!taken || taken.targetCommit === commit) return;
    const head = (await hub.findCommit(tag)) ?? taken.targetCommit;
    throw new AppError('hub_tag_taken', `${hub.id} has a tag ${tag} already, on commit ${head.slice(0, 8)}.`);
  }

  async #upload({ claim, publication, hub, source, signal, onWait }: Work): Promise<void> {
    const sources = new Map(filesOf(publication).map((file) => [file.sha256, source.of(file)]));
    const { revision } = publication;
    await this.uploader.run({ claim, repository: hub, revision, sources, signal, onWait });
  }

  async #commit(work: Work): Promise<void> {
    const { claim, publication, hub, source, signal } = work;
    const { options, found, version } = publication;
    const files = filesOf(publication);
    const earlier = await this.stored.listEarlierPaths(publication);
    const revision = options.createPr ? branchOf(await this.#pullRequest(work)) : publication.revision;
    const commit = await commitFiles({
      ...{ repository: hub, revision, files, source, earlier, parent: found.parent, signal },
      summary: `Publish ${version}`,
      description: `Published by Amalgam (${claim.id}).`,
      onParent: (parent) => this.stored.find(claim, publication, { parent }),
    });
    // What the Hub says it has is what counts, not what we sent.
    const missing = await changeAt({ repository: hub, files, source, earlier }, commit);
    if (missing.write.length > 0) {
      const paths = missing.write.map(({ path }) => path).join(', ');
      throw new AppError(
        'hub_content_mismatch',
        `Commit ${commit} has other bytes than were sent: ${paths.slice(0, 300)}`,
      );
    }
    const { pullRequest } = publication.found;
    const url = pullRequest === undefined ? hub.url : `${hub.url}/discussions/${pullRequest}`;
    await this.stored.find(claim, publication, { commit, url });
    await this.stored.move(claim, 'settle', { commit });
  }

  async #pullRequest({ claim, publication, hub, signal }: Work): Promise<number> {
    const { found, version } = publication;
    if (found.pullRequest !== undefined) return found.pullRequest;
    const pullRequest = await openPullRequest({
      ...{ repository: hub, before: found.pullRequestsBefore, signal },
      title: `Publish ${version} [${claim.id.slice(0, 8)}]`,
      description: `${version}, published by Amalgam.`,
      onBefore: (pullRequestsBefore) => this.stored.find(claim, publication, { pullRequestsBefore }),
    });
    await this.stored.find(claim, publication, { pullRequest });
    return pullRequest;
  }

  /** Opens what was made: until here a new repository was private. */
  async #settle({ claim, publication, hub }: Work): Promise<void> {
    const { options, found } = publication;
    const { commit = '', url } = found;
    if (found.pullRequest !== undefined) await readyPullRequest(hub, found.pullRequest);
    const visibility = options.visibility ?? (found.created ? 'public' : undefined);
    const gated = options.gated;
    if (visibility !== undefined || gated !== undefined) {
      await hub.settings({ ...(visibility && { visibility }), ...(gated !== undefined && { gated }) });
    }
    if (options.tag !== undefined && (await hub.tag(commit, options.tag)) === 'exists') {
      await this.#refuseTakenTag(hub, options.tag, commit);
    }
    await this.stored.move(claim, 'succeed', { commit, url }, async (manager) => {
      await manager.query(
        `update publications set owner = null, lease_until = null, done_bytes = total_bytes where id = $1`,
        [claim.id],
      );
    });
  }
}

function filesOf({ id, plan }: StoredPublication): PlannedFile[] {
  if (!plan) throw new Error(`publication ${id} has no plan`);
  return plan.files;
}

/** The Hub keeps empty files in git only. */
function modeOf({ bytes }: PlannedFile, mode: UploadMode | undefined): UploadMode {
  return bytes === 0 ? 'regular' : (mode ?? 'regular');
}
