import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { KeptTokens } from '../../hub/kept-tokens.js';
import { ImportsService } from '../../imports/imports.service.js';
import { MergeEvents } from '../merge-events.js';
import type { PlannedMerge, PlannedStage } from '../planning.service.js';
import { addNeed } from './needs.js';
import { findPreparingTwin, insertPreparation, type NewPreparation } from './preparation-request.js';
import { importTarget, stageModel } from './result-names.js';
import type { StoredPreparation } from './stored-preparations.js';

/** What was begun for a merge, as its event tells. */
export interface Begun {
  reference: string;
  import?: string;
  merge?: string;
}

interface BegunStage {
  id: string;
  isOwn: boolean;
}

/** Begins the imports and the merges of stages that a merge has to wait for. */
@Injectable()
export class Beginnings {
  constructor(
    private readonly imports: ImportsService,
    private readonly tokens: KeptTokens,
    private readonly events: MergeEvents,
  ) {}

  /**
   * In the caller's transaction: a merge and what it waits for are written down together. The token that came with the
   * merge goes along; without one all of it uses the token of the merge's namespace.
   */
  async begin(manager: EntityManager, merge: StoredPreparation, { stages, awaited }: PlannedMerge): Promise<Begun[]> {
    const token = this.tokens.open(`merge ${merge.id}`, merge.sealedToken);
    const keep = merge.request.keepStages;
    const stageIds = new Map<string, BegunStage>();
    for (const stage of stages)
      stageIds.set(stage.name, await this.#beginStage(manager, merge, stage, stageIds, token));
    const begun: Begun[] = [];
    for (const { reference, pointer, source } of awaited) {
      if (source) {
        const { namespace, createdBy } = merge;
        const request = { source: source.text, model: importTarget(source.text, namespace) };
        const { id, isNew } = await this.imports.begin(manager, request, token, createdBy, namespace);
        await addNeed(manager, merge.id, { reference, pointer, importId: id, isOwn: isNew, keep });
        begun.push({ reference, import: id });
        continue;
      }
      const stage = stageOf(stageIds, reference);
      await addNeed(manager, merge.id, { reference, pointer, stageId: stage.id, isOwn: stage.isOwn, keep });
      begun.push({ reference, merge: stage.id });
    }
    return begun;
  }

  /** A merge of its own, which fetches what it needs itself and waits for the stages before it. */
  async #beginStage(
    manager: EntityManager,
    merge: StoredPreparation,
    { name, pointer, planned }: PlannedStage,
    before: ReadonlyMap<string, BegunStage>,
    token: string | undefined,
  ): Promise<BegunStage> {
    const id = randomUUID();
    // Without its name it is the same merge as that recipe alone.
    const { name: _name, ...recipe } = planned.recipe;
    const stage: NewPreparation = {
      ...{ namespace: merge.namespace, name: stageModel(merge.name, name), device: merge.device },
      ...{ labels: { stageOf: merge.id }, createdBy: merge.createdBy, recipe },
      shardBytes: planned.plan.shardBytes,
      request: { ...merge.request, recipe, pointer, lenient: true },
      sealedToken: this.tokens.seal(`merge ${id}`, token),
    };
    const twin = await findPreparingTwin(manager, stage);
    if (twin !== undefined) return { id: twin, isOwn: false };
    await insertPreparation(manager, id, stage);
    const keep = merge.request.keepStages;
    for (const { reference, pointer: place, source } of planned.awaited) {
      if (source) continue;
      const need = stageOf(before, reference);
      await addNeed(manager, id, { reference, pointer: place, stageId: need.id, isOwn: need.isOwn, keep });
    }
    await this.events.append(manager, id, 'queued', { stageOf: merge.id });
    return { id, isOwn: true };
  }
}

function stageOf(stages: ReadonlyMap<string, BegunStage>, name: string): BegunStage {
  const stage = stages.get(name);
  if (!stage) throw new Error(`there is no stage ${name}`);
  return stage;
}
