import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AppError } from '../errors.js';
import type { HubLine } from '../hub/hub-file-reader.js';
import { HubTokens } from '../hub/hub-tokens.service.js';
import { findHubReference } from '../hub/hub-reference.js';
import { ImportSources } from '../imports/import-sources.js';
import { isImportSource } from '../imports/source-model.js';
import { VersionsService } from '../models/versions.service.js';
import { OBJECT_STORE } from '../platform/tokens.js';
import type { ObjectStore } from '../storage/object-store.js';
import { type MergeInput, registryInput, sourceInput } from './merge-input.js';

/** Finds the models that recipes name: in the registry, then on the Hub. */
@Injectable()
export class MergeInputs {
  constructor(
    private readonly database: DataSource,
    private readonly versions: VersionsService,
    private readonly sources: ImportSources,
    private readonly tokens: HubTokens,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
  ) {}

  /**
   * @param reference `team/model@3`, `hf:org/name@revision`, `s3://bucket/prefix`, or `org/name`, which means the
   * registry, then the Hub
   * @param line to the Hub; without it only the registry is looked at
   * @param namespace of the merge's result, which decides the buckets that may be read
   * @throws AppError reference_invalid, reference_not_supported, model_not_found, version_not_found, weights_expired,
   * and those of ImportSources; EngineError
   */
  async resolve(reference: string, line?: HubLine, namespace?: string): Promise<MergeInput> {
    if (isImportSource(reference) && line) return this.#resolveSource(reference, line, namespace);
    try {
      return registryInput(this.store, await this.versions.resolveReference(reference));
    } catch (error) {
      const source = line && isMissing(error) ? sourceOf(reference) : undefined;
      if (!line || source === undefined) throw error;
      return await this.#resolveSource(source, line).catch((fromHub: unknown) => {
        throw notOnHubEither(fromHub, error as AppError) ?? fromHub;
      });
    }
  }

  /**
   * Whether a model has to be fetched before it can be planned with; asked before a merge is taken in, so that a slip in a
   * name is refused at once. The Hub is asked about bare names only, and not waited for.
   * @param token of the request; without it the namespace's is used
   * @throws AppError as `resolve`
   */
  async isElsewhere(reference: string, token: string | undefined, namespace?: string): Promise<boolean> {
    if (isImportSource(reference)) {
      this.sources.requireAllowed(reference, namespace);
      return true;
    }
    try {
      await this.versions.identify(reference);
      return false;
    } catch (error) {
      const source = isMissing(error) ? sourceOf(reference) : undefined;
      if (source === undefined) throw error;
      const known = token ?? (namespace === undefined ? undefined : await this.tokens.find(namespace));
      return await this.sources.isThere(source, known).catch((fromHub: unknown) => {
        throw notOnHubEither(fromHub, error as AppError) ?? noAnswer(error as AppError);
      });
    }
  }

  /** What was imported already is not fetched again, whatever it is called in the registry. */
  async #resolveSource(source: string, line: HubLine, namespaceOfResult?: string): Promise<MergeInput> {
    const model = await this.sources.open(source, line, namespaceOfResult);
    const known = await this.versions.findImported(this.database.manager, model.plan);
    if (!known) return sourceInput(model);
    const { namespace, name, revision } = known;
    return registryInput(this.store, await this.versions.resolveReference(`${namespace}/${name}@${revision}`));
  }
}

/** What a bare name would be on the Hub. */
function sourceOf(reference: string): string | undefined {
  const source = `hf:${reference}`;
  return findHubReference(source) && source;
}

function isMissing(error: unknown): boolean {
  return error instanceof AppError && (error.code === 'model_not_found' || error.code === 'version_not_found');
}

/** Undefined when the Hub did not say that there is no such model. */
function notOnHubEither(fromHub: unknown, fromRegistry: AppError): AppError | undefined {
  const absent = ['hub_repository_not_found', 'hub_revision_not_found'];
  if (!(fromHub instanceof AppError) || !absent.includes(fromHub.code)) return undefined;
  return new AppError(fromRegistry.code, `${fromRegistry.message} ${fromHub.message}`, { cause: fromHub });
}

function noAnswer({ code, message }: AppError): AppError {
  return new AppError(code, `${message} The Hub, where such a name is looked for next, gave no answer.`);
}
