import { Inject, Injectable } from '@nestjs/common';
import type { Config } from '../config.js';
import type { ReportMode } from '../engine/index.js';
import { withinDeadline } from '../http/deadline.js';
import type { HubLine } from '../hub/hub-file-reader.js';
import { LicencesService } from '../licences/licences.service.js';
import { CONFIG } from '../platform/tokens.js';
import { modelReferences, parseRecipe, type ParsedRecipe, type Recipe, type Stage } from '../recipe/index.js';
import { MergePlanner, type MergePlan, summaryOf } from './engine.js';
import { licenceMembers, type MergeInput, stageInput } from './merge-input.js';
import { MergeInputs } from './merge-inputs.service.js';
import type { PinnedInput, Plan } from './merges.schema.js';
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

export interface PlanningContext {
  /** The request's recipe, where it was read already. */
  parsed?: ParsedRecipe;
  /** To the Hub; without it every model must be in the registry. */
  line?: HubLine | undefined;
  /** What the recipe's names mean where they do not mean what they say: versions that were made for this merge. */
  meanings?: ReadonlyMap<string, string>;
  /** Of the result, where it is known: it decides the buckets that may be read. */
  namespace?: string | undefined;
}

/** An input that is not in the registry yet. */
export interface AwaitedInput {
  reference: string;
  pointer: string;
  /** What it is imported from, pinned, and how much that is; undefined: it is the result of the stage of that name. */
  source: MergeInput['source'];
}

export interface PlannedMerge {
  recipe: Record<string, unknown>;
  pinnedRecipe: Record<string, unknown>;
  plan: MergePlan;
  /** In the order of the plan's inputs. */
  inputs: PinnedInput[];
  awaited: AwaitedInput[];
  /** What has to be merged before, in order. */
  stages: PlannedStage[];
  summary: Plan;
}

export interface PlannedStage {
  name: string;
  /** Where its document is in the request. */
  pointer: string;
  planned: Omit<PlannedMerge, 'stages'>;
}

const answerWithinMs = 10_000;

/** Turns a recipe into everything that a merge will do, from the models' headers alone. */
@Injectable()
export class PlanningService {
  readonly #planner = new MergePlanner();

  constructor(
    private readonly models: MergeInputs,
    private readonly licences: LicencesService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @throws RecipeError with a pointer into the request */
  read({ recipe, pointer, lenient }: Pick<PlanningRequest, 'recipe' | 'pointer' | 'lenient'>): Promise<ParsedRecipe> {
    return pointingIntoRequest(pointer, () => parseRecipe(recipe, { lenient, executable: true }));
  }

  /**
   * Whether something has to be fetched or merged before the recipe can be.
   * @param pointer where it is in the request
   * @param hubToken for bare names that the registry does not have
   * @param namespace of the result
   * @throws AppError input_not_found, reference_invalid, s3_source_not_allowed, each with a pointer into the request
   */
  async isElsewhere(
    parsed: ParsedRecipe,
    pointer: string,
    hubToken: string | undefined,
    namespace?: string,
  ): Promise<boolean> {
    const names = new Set(parsed.recipe.stages?.map(({ name }) => name));
    let isElsewhere = names.size > 0;
    for (const stage of parsed.stages) {
      for (const reference of modelReferences(stage.recipe)) {
        if (names.has(reference)) continue;
        const ask = (): Promise<boolean> => this.models.isElsewhere(reference, hubToken, namespace);
        const place = placeOf(parsed, stage, pointer) + pointerTo(stage.recipe, reference);
        if (await pointingAtModel(place, ask)) isElsewhere = true;
      }
    }
    return isElsewhere;
  }

  /**
   * Plans a merge for somebody who waits for the answer: models of the Hub are read by their headers.
   * @param namespace of the result, where that is known
   * @throws RecipeError, AppError (a model), EngineError, each with a pointer into the request; deadline_exceeded
   */
  async planAtOnce(request: PlanningRequest, hubToken: string | undefined, namespace?: string): Promise<PlannedMerge> {
    const plan = async (): Promise<PlannedMerge> => {
      // A Hub that is away is waited for where its models are read; a slip in a name must not wait.
      const parsed = await this.read(request);
      await this.isElsewhere(parsed, request.pointer, hubToken, namespace);
      const line = { token: hubToken, signal: AbortSignal.timeout(2 * answerWithinMs) };
      return this.plan(request, { parsed, line, namespace });
    };
    return withinDeadline(answerWithinMs, 'Planning this merge', plan());
  }

  /** @throws RecipeError, AppError (a model), EngineError, each with a pointer into the request */
  async plan(request: PlanningRequest, context: PlanningContext = {}): Promise<PlannedMerge> {
    const { parsed = await this.read(request) } = context;
    const { recipe: whole, stages: written, warnings } = parsed;
    const made = new Map<string, MergeInput>();
    const stages: PlannedStage[] = [];
    const planStage = async (stage: Stage, isLast: boolean): Promise<PlannedStage> => {
      const pointer = placeOf(parsed, stage, request.pointer);
      const { recipe } = stage;
      const models = await this.#resolve(recipe, pointer, made, context);
      const planned = await pointingIntoRequest(pointer, () => this.#plan(recipe, models, pointer, request));
      const { name = '' } = recipe;
      if (!isLast) made.set(name, await stageInput(name, planned.plan, models));
      return { name, pointer, planned };
    };
    // Where names have meanings the stages were merged before.
    const before = context.meanings?.size ? [] : written.slice(0, -1);
    for (const stage of before) stages.push(await planStage(stage, false));
    const result = written.at(-1) ?? { recipe: whole, document: 0, uses: [] };
    const { planned } = await planStage(result, true);
    const shown = warnings.map(({ code, message, pointer }) => ({ code, message, pointer: request.pointer + pointer }));
    const ofStages = stages.flatMap(({ planned: { summary } }) => summary.warnings);
    return {
      ...planned,
      recipe: storedRecipe(whole),
      stages,
      summary: {
        ...planned.summary,
        fetchBytes: fetchBytesOf([...stages.map((stage) => stage.planned), planned]),
        stages: stages.map(({ name, planned: { summary } }) => stageSummaryOf(name, summary)),
        warnings: [...shown, ...ofStages, ...planned.summary.warnings],
      },
    };
  }

  /** Each model of the recipe at the version that it means now, in order of first mention. */
  async #resolve(
    recipe: Recipe,
    pointer: string,
    made: ReadonlyMap<string, MergeInput>,
    { line, meanings, namespace }: PlanningContext,
  ): Promise<Map<string, MergeInput>> {
    const resolved = new Map<string, MergeInput>();
    for (const reference of modelReferences(recipe)) {
      const meaning = meanings?.get(reference) ?? reference;
      const resolve = (): Promise<MergeInput> => this.models.resolve(meaning, line, namespace);
      const known = made.get(reference);
      resolved.set(reference, known ?? (await pointingAtModel(pointer + pointerTo(recipe, reference), resolve)));
    }
    return resolved;
  }

  async #plan(
    recipe: Recipe,
    models: ReadonlyMap<string, MergeInput>,
    pointer: string,
    { seed, shardBytes, report, allowNan }: PlanningRequest,
  ): Promise<PlannedStage['planned']> {
    const { stages: _stages, ...own } = recipe;
    const pins = new Map([...models].map(([reference, { name }]) => [reference, name]));
    // Read again, because two names may have become one: a method that needs two models must say so.
    const pinned = parseRecipe(pinRecipe(own, pins), { lenient: true }).recipe;
    const byName = new Map([...models.values()].map((model) => [model.name, model]));
    const plan = await this.#planner.plan(pinned, [...byName.values()], {
      ...(seed !== undefined && { seed }),
      shardBytes: shardBytes ?? this.config.shardBytes,
      report,
      allowNan,
      threads: this.config.threads,
    });
    const bases = baseReferences(pinned);
    const referenceOf = new Map([...pins].reverse().map(([reference, name]) => [name, reference]));
    const inputs = plan.inputs.map(({ reference: version, digest }): PinnedInput => {
      const { versionId = null, licence = null, hubSource: source = null } = byName.get(version) ?? {};
      const role = bases.has(version) ? 'base' : 'model';
      return { reference: referenceOf.get(version) ?? version, role, version, versionId, digest, licence, source };
    });
    const used = plan.inputs.flatMap(({ reference }) => byName.get(reference) ?? []);
    const licence = await this.licences.assessMergeOf(licenceMembers(used));
    return {
      recipe: storedRecipe(own),
      pinnedRecipe: storedRecipe(pinned),
      plan,
      inputs,
      awaited: awaitedOf(recipe, models, pointer),
      summary: summaryOf(plan, inputs, [], licence),
    };
  }
}

/** Where a stage's document is; of several in one text, the first part of a pointer says which. */
function placeOf({ recipe }: ParsedRecipe, { document }: Stage, pointer: string): string {
  return recipe.stages === undefined ? pointer : `${pointer}/${document}`;
}

function awaitedOf(recipe: Recipe, models: ReadonlyMap<string, MergeInput>, pointer: string): AwaitedInput[] {
  const awaited = [...models].filter(([, { versionId }]) => versionId === null);
  return awaited.map(([reference, { source }]) => {
    return { reference, pointer: pointer + pointerTo(recipe, reference), source };
  });
}

/** What two stages need is fetched once. */
function fetchBytesOf(planned: readonly PlannedStage['planned'][]): number {
  const sources = planned.flatMap(({ awaited }) => awaited).flatMap(({ source }) => source ?? []);
  return [...new Map(sources.map(({ text, bytes }) => [text, bytes])).values()].reduce((sum, bytes) => sum + bytes, 0);
}

function stageSummaryOf(name: string, { method, outputBytes, readBytes, inputs }: Plan): Plan['stages'][number] {
  return { name, method, outputBytes, readBytes, models: inputs.map(({ version }) => version) };
}
