import { Inject, Injectable } from '@nestjs/common';
import type { Config } from '../config.js';
import { LicencesService } from '../licences/licences.service.js';
import { objectFiles } from '../models/object-files.js';
import { type ResolvedVersion, VersionsService } from '../models/versions.service.js';
import type { ReportMode } from '../engine/index.js';
import { CONFIG, OBJECT_STORE } from '../platform/tokens.js';
import { assertExecutable, modelReferences, parseRecipe, type Recipe } from '../recipe/index.js';
import type { ObjectStore } from '../storage/object-store.js';
import { MergePlanner, type MergePlan, summaryOf } from './engine.js';
import type { MergeWarning, PinnedInput, Plan } from './merges.schema.js';
import { baseReferences, pinRecipe, pointerTo, storedRecipe } from './pinned-recipe.js';
import { pointingAtModel, pointingIntoRequest } from './request-pointers.js';

export interface PlanningRequest {
  recipe: unknown;
  /** Where the recipe is in the request, for the pointers of refusals and warnings. */
  pointer: string;
  lenient: boolean;
  seed?: number | undefined;
  shardBytes?: number | undefined;
  report: ReportMode;
  allowNan: boolean;
}

export interface PlannedMerge {
  recipe: Record<string, unknown>;
  pinnedRecipe: Record<string, unknown>;
  plan: MergePlan;
  /** In the order of the plan's inputs. */
  inputs: PinnedInput[];
  summary: Plan;
}

/** Turns a recipe into everything that a merge will do, from the models' headers alone. */
@Injectable()
export class PlanningService {
  readonly #planner = new MergePlanner();

  constructor(
    private readonly versions: VersionsService,
    private readonly licences: LicencesService,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @throws RecipeError, AppError (a model), EngineError, each with a pointer into the request */
  plan(request: PlanningRequest): Promise<PlannedMerge> {
    return pointingIntoRequest(request.pointer, async () => {
      const { recipe, warnings } = parseRecipe(request.recipe, { lenient: request.lenient });
      assertExecutable(recipe);
      const resolved = await this.#resolve(recipe, request.pointer);
      const shown = warnings.map(({ code, message, pointer }) => ({
        code,
        message,
        pointer: request.pointer + pointer,
      }));
      return this.#plan(recipe, resolved, shown, request);
    });
  }

  /** Each model of the recipe at the version that it means now, in order of first mention. */
  async #resolve(recipe: Recipe, prefix: string): Promise<Map<string, ResolvedVersion>> {
    const resolved = new Map<string, ResolvedVersion>();
    for (const reference of modelReferences(recipe)) {
      const resolve = (): Promise<ResolvedVersion> => this.versions.resolveReference(reference);
      resolved.set(reference, await pointingAtModel(prefix + pointerTo(recipe, reference), resolve));
    }
    return resolved;
  }

  async #plan(
    recipe: Recipe,
    resolved: ReadonlyMap<string, ResolvedVersion>,
    warnings: MergeWarning[],
    { seed, shardBytes, report, allowNan }: PlanningRequest,
  ): Promise<PlannedMerge> {
    const pins = new Map([...resolved].map(([reference, version]) => [reference, nameOf(version)]));
    // Read again, because two names may have become one: a method that needs two models must say so.
    const pinned = parseRecipe(pinRecipe(recipe, pins), { lenient: true }).recipe;
    const byPin = new Map([...resolved.values()].map((version) => [nameOf(version), version]));
    const inputs = [...byPin].map(([reference, { digest, files }]) => ({
      ...{ reference, digest },
      files: objectFiles(this.store, files),
    }));
    const plan = await this.#planner.plan(pinned, inputs, {
      ...(seed !== undefined && { seed }),
      shardBytes: shardBytes ?? this.config.shardBytes,
      report,
      allowNan,
      threads: this.config.threads,
    });
    const bases = baseReferences(pinned);
    const referenceOf = new Map([...pins].reverse().map(([reference, pin]) => [pin, reference]));
    const pinnedInputs = plan.inputs.map(({ reference, digest }): PinnedInput => {
      const { id: versionId = '', licence = null } = byPin.get(reference) ?? {};
      const role = bases.has(reference) ? 'base' : 'model';
      return {
        reference: referenceOf.get(reference) ?? reference,
        role,
        version: reference,
        versionId,
        digest,
        licence,
      };
    });
    const licence = await this.licences.assessMergeOf(pinnedInputs.map(({ versionId }) => versionId));
    return {
      recipe: storedRecipe(recipe),
      pinnedRecipe: storedRecipe(pinned),
      plan,
      inputs: pinnedInputs,
      summary: summaryOf(plan, pinnedInputs, warnings, licence),
    };
  }
}

function nameOf({ namespace, name, version }: ResolvedVersion): string {
  return `${namespace}/${name}@${version}`;
}
