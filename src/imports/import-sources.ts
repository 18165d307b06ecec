import { Injectable } from '@nestjs/common';
import { inspectOffThread } from '../engine/index.js';
import type { HubLine } from '../hub/hub-file-reader.js';
import { HubModels } from '../hub/hub-model.js';
import { findHubReference, type HubReference } from '../hub/hub-reference.js';
import { inspectedFiles, neededFiles } from '../hub/model-files.js';
import { findS3Reference } from '../storage/s3-reference.js';
import type { ImportPlan, SourceFile } from './import-plan.js';
import type { RangeReader } from './ranged-body.js';
import { RemoteCheckpoint } from './remote-checkpoint.js';
import { S3Models, s3ReferenceOf } from './s3-models.js';
import type { SourceModel } from './source-model.js';

export type { SourceModel } from './source-model.js';

/** Somebody waits for the answer. */
const askedWithinMs = 5_000;

/** Opens models that are to be imported. */
@Injectable()
export class ImportSources {
  constructor(
    private readonly hub: HubModels,
    private readonly s3: S3Models,
  ) {}

  /**
   * Whether a source may be read at all, without connecting to anything.
   * @throws AppError s3_source_not_allowed
   */
  requireAllowed(source: string, namespace: string | undefined): void {
    const reference = findS3Reference(source);
    if (reference) this.s3.requireAllowed(reference, namespace);
  }

  /**
   * Pins a source and reads its headers: what no program should load is refused before it is fetched.
   * @param source `hf:org/name`, `hf:org/name@revision` or `s3://bucket/prefix`
   * @param namespace of the model that is to be made, which decides the buckets that may be read; without one, only
   * those that every namespace may
   * @throws AppError hub_repository_not_found, hub_revision_not_found, hub_gated, hub_token_refused, hub_forbidden,
   * hub_unavailable, hub_refused, s3_source_not_allowed, s3_source_not_found, s3_source_refused, s3_source_changed,
   * s3_source_unavailable; EngineError
   */
  open(source: string, line: HubLine, namespace?: string): Promise<SourceModel> {
    const hub = findHubReference(source);
    if (hub) return this.#openHub(hub, line);
    const s3 = findS3Reference(source);
    if (s3) return this.s3.open(s3, line.signal, namespace);
    throw new Error(`${source} is no source of imports`);
  }

  /** A file of a plan, at what it was when that was made. @throws AppError s3_source_not_allowed */
  reader({ repository, commit }: ImportPlan, file: SourceFile, line: HubLine, namespace: string): RangeReader {
    if ('etag' in file) return this.s3.reader(s3ReferenceOf(repository), file, line.signal, namespace);
    return this.hub.reader({ repository, commit }, file, line);
  }

  /**
   * Whether a source can be read now. It is not waited for: a Hub that is away or busy is no answer.
   * @throws HubError, AppError as `open`; a timeout after 5 s
   */
  async isThere(source: string, token: string | undefined): Promise<boolean> {
    const reference = findHubReference(source);
    if (!reference) return false;
    const waiting = new AbortController();
    const signal = AbortSignal.any([waiting.signal, AbortSignal.timeout(askedWithinMs)]);
    await this.hub.pin(reference, { token, signal, onWait: (error) => waiting.abort(error) });
    return true;
  }

  async #openHub(reference: HubReference, line: HubLine): Promise<SourceModel> {
    const pinned = await this.hub.pin(reference, line);
    const { repository, commit } = pinned;
    const readable = inspectedFiles(pinned.files);
    const files = new RemoteCheckpoint(readable, (file) => this.hub.reader(pinned, file, line));
    const checkpoint = await this.hub.refusing(repository, line.token, () => inspectOffThread(files));
    return { plan: { repository, commit, files: neededFiles(pinned.files, checkpoint.shards) }, files, checkpoint };
  }
}
