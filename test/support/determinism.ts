import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  execute,
  inspect,
  localDirectory,
  type MergeEvent,
  type MergePlan,
  plan,
  type PlanOptions,
} from '../../src/engine/index.js';
import { modelReferences, parseRecipe } from '../../src/recipe/index.js';
import { keptThreads } from './merge.js';

export const THREADS = [1, 2, 3, 8] as const;
/** The last is a whole number of nothing. */
export const CHUNKS = [64 * 1024, 1024 * 1024, 100_003] as const;

export interface Way {
  threads: number;
  chunkBytes: number;
}

/** A plan, and the folder in which each of its inputs lies. */
export interface PlannedMerge {
  plan: MergePlan;
  folders: string[];
}

/** What may not depend on how a merge is carried out. */
export interface Outcome {
  sha256: Record<string, string | undefined>;
  statistics: Record<string, string>;
  reports: Record<string, string>;
}

/** @param folder where the recipe's models lie */
export async function planOf(
  text: string,
  folder: string,
  options: Omit<PlanOptions, 'models'> = {},
): Promise<PlannedMerge> {
  const { recipe } = parseRecipe(text, { executable: true });
  const opened = modelReferences(recipe).map(async (reference) => {
    const files = localDirectory(join(folder, reference));
    return [reference, { files, checkpoint: await inspect(files), digest: reference }] as const;
  });
  const merge = await plan(recipe, { models: new Map(await Promise.all(opened)), report: 'full', ...options });
  return { plan: merge, folders: merge.inputs.map(({ reference }) => join(folder, reference)) };
}

export class Recorder {
  readonly outcome: Outcome = { sha256: {}, statistics: {}, reports: {} };
  readonly resumed: string[] = [];

  note(event: MergeEvent): void {
    if (event.type === 'tensor') this.outcome.statistics[event.tensor] = spell(event.statistics);
    // JSON writes every bit of a finite number.
    if (event.type === 'tensor') this.outcome.reports[event.tensor] = JSON.stringify(event.report);
    if (event.type === 'shard') this.outcome.sha256[event.file] = event.sha256;
    if (event.type === 'shard' && event.resumed) this.resumed.push(event.file);
  }
}

/** Every bit of a statistic as text; JSON alone would make one of 0 and -0, and of all NaN. */
function spell(value: unknown): string {
  if (typeof value === 'number') return Buffer.from(Float64Array.of(value).buffer).toString('hex');
  if (typeof value === 'bigint') return `${String(value)}n`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex');
  return JSON.stringify(Object.entries(value).map(([key, member]) => [key, spell(withoutRanges(key, member))]));
}

/** How many of equal magnitudes each range keeps depends on the ranges, of course; all together must not. */
function withoutRanges(key: string, member: unknown): unknown {
  return key === 'quotas' ? (member as number[]).reduce((sum, quota) => sum + quota, 0) : member;
}

/** A folder below which merges are carried out, each in a folder of its own. */
export class MergeFolder {
  constructor(readonly root: string) {}

  /** @param directory of an attempt that ended early; emptied */
  async run(merge: PlannedMerge, way: Way, directory = this.empty()): Promise<Recorder> {
    const recorder = new Recorder();
    await execute(merge.plan, {
      ...{ ...way, threads: keptThreads(way.threads), directory },
      locate: (input, file) => join(merge.folders[input] ?? '', file),
      onEvent: (event) => recorder.note(event),
    });
    rmSync(directory, { recursive: true });
    return recorder;
  }

  /** Cancels as soon as a shard is finished. @returns what it had done until then, and where */
  async cancelled(merge: PlannedMerge, way: Way): Promise<{ directory: string; before: Recorder }> {
    const directory = this.empty();
    const abort = new AbortController();
    const before = new Recorder();
    const end = await execute(merge.plan, {
      ...{ ...way, threads: keptThreads(way.threads), directory, signal: abort.signal },
      locate: (input, file) => join(merge.folders[input] ?? '', file),
      onEvent: (event) => {
        before.note(event);
        if (event.type === 'shard') abort.abort();
      },
    }).catch((error: unknown) => error);
    if ((end as { code?: string }).code !== 'merge_cancelled') throw new Error('it was not cancelled', { cause: end });
    return { directory, before };
  }

  /**
   * Carries a merge out in a process of its own, which ends as by kill -9 at its first shard, or in the middle of it: at
   * its first tensor.
   */
  async killed(merge: PlannedMerge, way: Way, at: 'shard' | 'tensor'): Promise<string> {
    const directory = this.empty();
    const request = join(this.root, 'request.json');
    writeFileSync(request, JSON.stringify({ ...merge, directory, way, at }));
    const script = join(this.root, 'killed.mjs');
    writeFileSync(script, KILLED);
    const child = spawn(process.execPath, [script, request], { stdio: 'inherit' });
    const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
    if (signal !== 'SIGKILL') throw new Error('it was not killed');
    return directory;
  }

  /** The same attempt once more, for another way to go on. */
  copy(directory: string): string {
    const twin = this.empty();
    if (readdirSync(directory).length > 0) cpSync(directory, twin, { recursive: true });
    return twin;
  }

  empty(): string {
    mkdirSync(this.root, { recursive: true });
    return mkdtempSync(join(this.root, 'out-'));
  }
}

const KILLED = `
  import { readFileSync } from 'node:fs';
  import { execute } from ${JSON.stringify(new URL('../../dist/src/engine/index.js', import.meta.url).href)};
  const { plan, folders, directory, way, at } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
  const onEvent = ({ type }) => type === at && process.kill(process.pid, 'SIGKILL');
  await execute(plan, { ...way, directory, onEvent, locate: (input, file) => folders[input] + '/' + file });
`;

/** Carries merges out one after the other under a Node of its own. @returns what each came to: digests and statistics */
export async function outcomesUnder(node: string, merges: readonly PlannedMerge[], root: string): Promise<string[]> {
  const [script, request, answer] = ['under.mjs', 'merges.json', 'outcomes.json'].map((name) => join(root, name));
  writeFileSync(script ?? '', UNDER);
  writeFileSync(request ?? '', JSON.stringify(merges));
  const child = spawn(node, [script ?? '', request ?? '', answer ?? ''], { stdio: 'inherit' });
  const [status] = (await once(child, 'exit')) as [number | null];
  if (status !== 0) throw new Error(`${node} ended with ${String(status)}`);
  return JSON.parse(readFileSync(answer ?? '', 'utf8')) as string[];
}

const UNDER = `
  import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
  import { execute } from ${JSON.stringify(new URL('../../dist/src/engine/index.js', import.meta.url).href)};
  const [, , request, answer] = process.argv;
  const exact = (_key, value) => {
    if (typeof value === 'bigint') return String(value);
    if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex');
    return Object.is(value, -0) || Number.isNaN(value) ? String(value) + (1 / value) : value;
  };
  const outcomes = [];
  for (const { plan, folders } of JSON.parse(readFileSync(request, 'utf8'))) {
    const directory = mkdtempSync(answer + '-');
    const events = [];
    const onEvent = (event) => event.type !== 'progress' && events.push(JSON.stringify(event, exact));
    const locate = (input, file) => folders[input] + '/' + file;
    const how = { directory, threads: 1, onEvent, locate };
    await execute(plan, how);
    rmSync(directory, { recursive: true });
    outcomes.push(events.sort().join());
  }
  writeFileSync(answer, JSON.stringify(outcomes));
`;
