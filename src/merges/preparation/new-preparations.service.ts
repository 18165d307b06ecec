import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Config } from '../../config.js';
import { KeptTokens } from '../../hub/kept-tokens.js';
import { CONFIG } from '../../platform/tokens.js';
import type { Recipe } from '../../recipe/index.js';
import { MergeEvents } from '../merge-events.js';
import { findMerge } from '../merge-rows.js';
import type { Merge } from '../merges.schema.js';
import { headOf, type Submission } from '../new-merge.js';
import { storedRecipe } from '../pinned-recipe.js';
import { PreparationLoop } from './preparation-loop.js';
import {
  findPreparingTwin,
  insertPreparation,
  type NewPreparation,
  preparationRequest,
} from './preparation-request.js';

/** Takes merges in that have to wait for some of their inputs. */
@Injectable()
export class NewPreparations {
  constructor(
    private readonly tokens: KeptTokens,
    private readonly events: MergeEvents,
    private readonly loop: PreparationLoop,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** What writes the merge down in a transaction. @throws AppError secrets_unavailable */
  takingIn(
    { request, pointer, createdBy, hubToken }: Submission,
    recipe: Recipe,
  ): (manager: EntityManager) => Promise<Merge> {
    const id = randomUUID();
    const merge: NewPreparation = {
      ...headOf(request, createdBy),
      recipe: storedRecipe(recipe),
      shardBytes: request.shardBytes ?? this.config.shardBytes,
      request: preparationRequest(request, pointer),
      sealedToken: this.tokens.seal(`merge ${id}`, hubToken),
    };
    return async (manager) => {
      const twin = await findPreparingTwin(manager, merge);
      if (twin === undefined) {
        await insertPreparation(manager, id, merge);
        await this.events.append(manager, id, 'queued', {});
      }
      const answer = await findMerge(manager, twin ?? id);
      if (!answer) throw new Error(`merge ${twin ?? id} is not there`);
      return answer;
    };
  }

  /** Without anybody waiting for it. */
  wakeSoon(): void {
    this.loop.wakeSoon();
  }
}
