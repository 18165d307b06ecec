import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { advice } from '../cards/report-advice.js';
import { compareOffThread, EngineError, mergeReport, type TensorReport } from '../engine/index.js';
import { AppError } from '../errors.js';
import { VersionsService } from '../models/versions.service.js';
import { RecipeError } from '../recipe/index.js';
import { BlobCache, type HeldBlob } from '../storage/blob-cache.js';
import type { Comparison, ComparisonRequest } from './comparisons.schema.js';
import { filesOfPlan } from './engine.js';
import { type PlannedMerge, PlanningService } from './planning.service.js';

/** Comparisons that are known or under way; what is asked for again is answered from here. */
const kept = 32;
/** One is computed at a time; more than these are not taken in. */
const mostWaiting = 8;
/** Nobody can still be waiting for what takes longer. */
const limitMs = 10 * 60_000;

/** How versions differ, without merging them. One at a time, each on a thread of its own. */
@Injectable()
export class ComparisonsService implements OnModuleDestroy {
  readonly #known = new Map<string, Promise<TensorReport[]>>();
  readonly #stop = new AbortController();
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(
    private readonly planning: PlanningService,
    private readonly versions: VersionsService,
    private readonly cache: BlobCache,
  ) {}

  async onModuleDestroy(): Promise<void> {
    this.#stop.abort();
    await this.#last;
  }

  /** @throws AppError, RecipeError, EngineError, each with a pointer into the request */
  async compare(request: ComparisonRequest): Promise<Comparison> {
    const { report } = request;
    const planned = await pointingAtComparison(() =>
      this.planning.plan({ recipe: recipeOf(request), pointer: '', lenient: false, report, allowNan: true }),
    );
    const tensors = await this.#reports(planned);
    const names = planned.inputs.map(({ version }) => version);
    const found = mergeReport(report, names, tensors);
    return { ...found, advice: advice(found), inputs: planned.inputs };
  }

  #reports(planned: PlannedMerge): Promise<TensorReport[]> {
    const { digest } = planned.plan;
    const known = this.#known.get(digest);
    this.#known.delete(digest);
    const reports = known ?? this.#inTurn(() => this.#measure(planned));
    this.#known.set(digest, reports);
    for (const oldest of [...this.#known.keys()].slice(0, -kept)) this.#known.delete(oldest);
    // A store that was away for a moment must not be remembered.
    reports.catch(() => this.#known.delete(digest));
    return reports;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= mostWaiting) {
      const detail = `${mostWaiting} other comparisons are waiting; try again.`;
      return Promise.reject(new AppError('deadline_exceeded', detail, { headers: { 'retry-after': '30' } }));
    }
    this.#waiting += 1;
    const turn = this.#last.then(work).finally(() => (this.#waiting -= 1));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #measure({ plan, inputs }: PlannedMerge): Promise<TensorReport[]> {
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(limitMs)]);
    const held: HeldBlob[] = [];
    try {
      const versions = await Promise.all(inputs.map(({ version }) => this.versions.resolveReference(version)));
      const paths = new Map<string, string>();
      for (const { input, file } of filesOfPlan(plan)) {
        signal.throwIfAborted();
        const stored = versions[input]?.files.find(({ path }) => path === file);
        if (stored === undefined) throw new Error(`input ${input} of a comparison has no file ${file}`);
        const blob = await this.cache.acquire(stored);
        held.push(blob);
        paths.set(`${input}/${file}`, blob.path);
      }
      return await compareOffThread(plan, { locate: (input, file) => paths.get(`${input}/${file}`) ?? '', signal });
    } finally {
      await Promise.all(held.map((blob) => blob.release()));
    }
  }
}

/** Whatever method asks the least of the models: only their differences are looked at. */
function recipeOf({ models, base }: ComparisonRequest): object {
  const inputs = models.map((model) => ({ model, parameters: { weight: 1 } }));
  if (base === undefined) return { merge_method: 'linear', models: inputs };
  return { merge_method: 'task_arithmetic', base_model: base, models: inputs };
}

/** Refusals point into that recipe, and are to point into the request. */
async function pointingAtComparison<T>(work: () => Promise<T>): Promise<T> {
  const inRequest = (pointer: string): string =>
    pointer.replace(/^\/base_model$/, '/base').replace(/^(\/models\/\d+)\/.*$/, '$1');
  try {
    return await work();
  } catch (error) {
    if (error instanceof RecipeError) {
      throw new RecipeError(error.issues.map((issue) => ({ ...issue, pointer: inRequest(issue.pointer) })));
    }
    if (error instanceof EngineError && error.details.pointer !== undefined) {
      const details = { ...error.details, pointer: inRequest(error.details.pointer) };
      throw new EngineError(error.code, error.message, details);
    }
    if (error instanceof AppError && error.options.pointer !== undefined) {
      throw new AppError(error.code, error.message, { ...error.options, pointer: inRequest(error.options.pointer) });
    }
    throw error;
  }
}
