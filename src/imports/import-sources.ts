import { Injectable } from '@nestjs/common';
import { type Checkpoint, type CheckpointFiles, inspectOffThread } from '../engine/index.js';
import { HubCheckpoint } from '../hub/hub-checkpoint.js';
import type { HubLine } from '../hub/hub-file-reader.js';
import { HubModels } from '../hub/hub-model.js';
import { findHubReference, type HubReference } from '../hub/hub-reference.js';
import { inspectedFiles, neededFiles } from '../hub/model-files.js';
import type { ImportPlan } from './import-plan.js';

/** A model outside the registry at what it is now, as far as its headers and small files tell: not one byte of a tensor was moved. */
export interface SourceModel {
  /** What an import of it would fetch. */
  plan: ImportPlan;
  files: CheckpointFiles;
  checkpoint: Checkpoint;
}

/** Somebody waits for the answer. */
const askedWithinMs = 5_000;

/** Opens models that are to be imported. */
@Injectable()
export class ImportSources {
  constructor(private readonly hub: HubModels) {}

  /**
   * Pins a source and reads its headers: what no program should load is refused before it is fetched.
   * @param source `hf:org/name` or `hf:org/name@revision`
   * @throws AppError hub_repository_not_found, hub_revision_not_found, hub_gated, hub_token_refused, hub_forbidden,
   * hub_unavailable, hub_refused; EngineError
   */
  open(source: string, line: HubLine): Promise<SourceModel> {
    const reference = findHubReference(source);
    if (!reference) throw new Error(`${source} is no source of imports`);
    return this.#openHub(reference, line);
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
    const files = new HubCheckpoint(readable, (file) => this.hub.reader(pinned, file, line));
    const checkpoint = await this.hub.refusing(repository, line.token, () => inspectOffThread(files));
    return { plan: { repository, commit, files: neededFiles(pinned.files, checkpoint.shards) }, files, checkpoint };
  }
}
