import { Injectable } from '@nestjs/common';
import { AppError } from '../errors.js';
import type { Plan } from '../merges/merges.schema.js';
import { MergeInputs } from '../merges/merge-inputs.service.js';
import { pointerTo } from '../merges/pinned-recipe.js';
import { PlanningService } from '../merges/planning.service.js';
import { pointingAtModel, pointingIntoRequest } from '../merges/request-pointers.js';
import { nameOf } from '../models/version-rows.js';
import { VersionsService } from '../models/versions.service.js';
import { modelReferences, type Recipe } from '../recipe/index.js';
import { parseCheckpointRecipe, withCheckpoint } from './checkpoint-recipe.js';
import type { TriggerOptions } from './trigger-rows.js';
import { checkpointSlot, type TriggerRequest } from './triggers.schema.js';

/** No such thing yet, or not any more: what a trigger may wait for. */
const absent = ['model_not_found', 'version_not_found', 'weights_expired'];

/** Finds out before a trigger exists what would fail with every checkpoint. */
@Injectable()
export class TriggerCheck {
  constructor(
    private readonly planning: PlanningService,
    private readonly versions: VersionsService,
    private readonly models: MergeInputs,
  ) {}

  /**
   * Reads the recipe, and plans it with the newest checkpoint; while there is none, the other models must exist.
   * @throws RecipeError, EngineError, AppError, each with a pointer into the request
   */
  async check(request: TriggerRequest, hubToken: string | undefined): Promise<Recipe> {
    const pointer = '/recipe';
    const recipe = await pointingIntoRequest(pointer, () =>
      parseCheckpointRecipe(request.recipe, request.lenient, pointer),
    );
    const newest = await this.#newest(request.watch);
    const [namespace = ''] = request.output.split('/');
    if (newest === undefined) {
      await this.#requireOthers(recipe, pointer, hubToken, namespace);
    } else {
      const filled = { ...request, recipe: withCheckpoint(recipe, newest), pointer };
      await this.planning.planAtOnce(filled, hubToken, namespace);
    }
    return recipe;
  }

  /** What the merge of one checkpoint would do. @throws RecipeError, EngineError, AppError */
  async plan(recipe: Recipe, options: TriggerOptions, checkpoint: string): Promise<Plan> {
    const request = { ...options, recipe: withCheckpoint(recipe, checkpoint), pointer: '', lenient: true };
    return (await this.planning.planAtOnce(request, undefined)).summary;
  }

  async #newest(watch: string): Promise<string | undefined> {
    try {
      return nameOf(await this.versions.resolveReference(watch));
    } catch (error) {
      if (error instanceof AppError && absent.includes(error.code)) return undefined;
      throw error;
    }
  }

  async #requireOthers(
    recipe: Recipe,
    pointer: string,
    hubToken: string | undefined,
    namespace: string,
  ): Promise<void> {
    for (const reference of modelReferences(recipe)) {
      if (reference === checkpointSlot) continue;
      const require = (): Promise<boolean> => this.models.isElsewhere(reference, hubToken, namespace);
      await pointingAtModel(pointer + pointerTo(recipe, reference), require);
    }
  }
}
