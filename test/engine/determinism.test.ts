import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execute, inspect, localDirectory, type MergeEvent, type MergePlan, plan } from '../../src/engine/index.js';
import { RESIDENT_BYTES } from '../../src/engine/execution/task-list.js';
import { modelReferences, parseRecipe } from '../../src/recipe/index.js';
import { SMALL, tinyCheckpoint, writeCheckpoint } from '../support/checkpoints.js';
import { until } from '../support/child-server.js';
import { damCoefficients, writeCoefficients } from '../support/coefficients.js';
import { readModel } from '../support/safetensors.js';
import { writeFolder } from '../support/folder.js';
import { syntheticModel } from '../support/synthetic-model.js';

jest.setTimeout(120_000);

/** Of each model: two of them together do not stay in memory between passes, and are cut into ranges. */
const layerBytes = 26_000_000;
const shardBytes = 27_000_000;

const methods: Record<string, string> = {
  linear: `merge_method: linear
models:
  - { model: a, parameters: { weight: 0.3 } }
  - { model: b, parameters: { weight: 0.6 } }
  - { model: base, parameters: { weight: 0.4 } }
`,
  task_arithmetic: `merge_method: task_arithmetic
base_model: base
models:
  - { model: a, parameters: { weight: 0.7 } }
  - { model: b, parameters: { weight: -0.2 } }
`,
  slerp: `merge_method: slerp
base_model: a
models:
  - { model: b }
parameters: { t: 0.37 }
dtype: float32
`,
  nuslerp: `merge_method: nuslerp
base_model: base
models:
  - { model: a, parameters: { weight: 0.7 } }
  - { model: b, parameters: { weight: 0.5 } }
`,
  'nuslerp by columns': `merge_method: nuslerp
models:
  - { model: a, parameters: { weight: 0.7 } }
  - { model: b, parameters: { weight: 0.5 } }
parameters: { nuslerp_flatten: false, nuslerp_row_wise: true }
`,
  multislerp: `merge_method: multislerp
models:
  - { model: a, parameters: { weight: 0.7 } }
  - { model: b, parameters: { weight: 0.5 } }
  - { model: base, parameters: { weight: 0.3 } }
`,
  karcher: 'merge_method: karcher\nmodels: [{ model: a }, { model: b }, { model: base }]\n',
  model_stock: 'merge_method: model_stock\nbase_model: base\nmodels: [{ model: a }, { model: b }]\n',
  'model_stock by rows': `merge_method: model_stock
base_model: base
models: [{ model: a }, { model: b }]
parameters: { filter_wise: true }
`,
  nearswap: 'merge_method: nearswap\nbase_model: base\nmodels: [{ model: a }]\nparameters: { t: 0.01 }\n',
  expo: 'merge_method: expo\nbase_model: base\nmodels: [{ model: a }]\nparameters: { alpha: 0.3 }\n',
  ties: `merge_method: ties
base_model: base
models:
  - { model: a, parameters: { weight: 0.7, density: 0.31 } }
  - { model: b, parameters: { weight: 0.5, density: 0.77 } }
parameters: { normalize: true }
`,
  ramplus_tl: `merge_method: ramplus_tl
base_model: base
models: [{ model: a }, { model: b }]
parameters: { epsilon: 0.5 }
`,
  sce: `merge_method: sce
base_model: base
models: [{ model: a }, { model: b }]
parameters: { select_topk: 0.4 }
`,
  arcee_fusion: `merge_method: arcee_fusion
base_model: base
models: [{ model: a }]
`,
};

/** Methods that leave elements out share a recipe. */
const sparse = `base_model: base
models:
  - { model: a, parameters: { weight: 0.7, density: 0.31 } }
  - { model: b, parameters: { weight: 0.5, density: 0.77 } }
`;
methods['breadcrumbs'] = `merge_method: breadcrumbs\n${sparse}parameters: { rescale: l1 }\n`;
methods['dare_linear'] = `merge_method: dare_linear\n${sparse}`;
methods['dare_ties'] = `merge_method: dare_ties\n${sparse}parameters: { rescale: inverse_density }\n`;
methods['magmax'] = 'merge_method: magmax\nbase_model: base\nmodels: [{ model: a }, { model: b }]\n';
methods['dam'] = 'merge_method: dam\nmodels: [{ model: a }, { model: b }]\ncoefficients: coefficients\n';
methods['lines'] =
  'merge_method: lines\nbase_model: base\nmodels: [{ model: a }, { model: b }]\nparameters: { alpha: 0.2, beta: 0.7 }\n';
methods['widen'] = 'merge_method: widen\nbase_model: base\nmodels: [{ model: a }, { model: b }]\n';
methods['della'] = `merge_method: della\n${sparse}`;
methods['della_linear'] = `merge_method: della_linear\n${sparse}parameters: { rescale: inverse_density }\n`;
methods['breadcrumbs_ties'] = `merge_method: breadcrumbs_ties\n${sparse}`;

/** What may not depend on how a merge is carried out. */
interface Outcome {
  sha256: Record<string, string | undefined>;
  statistics: Record<string, string>;
  reports: Record<string, string>;
}

let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'amalgam-determinism-'));
  ['base', 'a', 'b'].forEach((name, k) => {
    writeFolder(join(root, 'large', name), syntheticModel({ layers: 2, layerBytes, seed: k + 1 }));
    const small = tinyCheckpoint({ seed: k + 1, sizes: SMALL, dtype: 'BF16' });
    writeCheckpoint(join(root, 'small', name), small, k + 1);
    const model = { small, large: { tensors: readModel(join(root, 'large', name)) } };
    if (k > 0) return;
    for (const [size, own] of Object.entries(model)) {
      writeCoefficients(join(root, size, 'coefficients'), damCoefficients(own, ['a', 'b']), { models: ['a', 'b'] });
    }
  });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function planOf(size: string, method: string): Promise<{ plan: MergePlan; locate: Locate }> {
  const { recipe } = parseRecipe(methods[method]);
  const references = modelReferences(recipe);
  const opened = references.map(async (reference) => {
    const files = localDirectory(join(root, size, reference));
    return [reference, { files, checkpoint: await inspect(files), digest: reference }] as const;
  });
  const merge = await plan(recipe, { models: new Map(await Promise.all(opened)), shardBytes, report: 'full' });
  return { plan: merge, locate: (input, file) => join(root, size, references[input] ?? '', file) };
}

type Locate = (input: number, file: string) => string;

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

class Recorder {
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

async function run(
  merge: { plan: MergePlan; locate: Locate },
  how: { threads: number; chunkBytes: number; directory?: string },
): Promise<Recorder> {
  const directory = how.directory ?? mkdtempSync(join(root, 'out-'));
  const recorder = new Recorder();
  await execute(merge.plan, { ...how, directory, locate: merge.locate, onEvent: (event) => recorder.note(event) });
  rmSync(directory, { recursive: true });
  return recorder;
}

const threads = [1, 2, 3];
// The last is a whole number of nothing.
const chunks = [64 * 1024, 1024 * 1024, 100_003];
const ways = threads.flatMap((count) => chunks.map((chunkBytes) => ({ threads: count, chunkBytes })));

describe.each(['small', 'large'])('a merge of %s tensors', (size) => {
  it.each(Object.keys(methods))('by %s is the same for any threads and chunks', async (method) => {
    const merge = await planOf(size, method);
    const first = await run(merge, { threads: 1, chunkBytes: 1024 * 1024 });
    expect(Object.keys(first.outcome.statistics)).toHaveLength(
      merge.plan.shards.flatMap(({ tensors }) => tensors).length,
    );
    for (const way of ways)
      expect({ ...way, ...(await run(merge, way)).outcome }).toEqual({ ...way, ...first.outcome });
  });
});

describe('a merge that was interrupted', () => {
  it('is large enough to be cut into ranges', () => expect(2 * layerBytes).toBeGreaterThan(RESIDENT_BYTES));

  it.each(Object.keys(methods))('by %s is the same after a cancellation', async (method) => {
    const merge = await planOf('large', method);
    const whole = await run(merge, { threads: 2, chunkBytes: 64 * 1024 });
    const directory = join(root, `cancelled-${method}`);
    mkdirSync(directory);
    const abort = new AbortController();
    const before = new Recorder();
    const cancelled = execute(merge.plan, {
      ...{ directory, locate: merge.locate, threads: 3, chunkBytes: 100_003, signal: abort.signal },
      onEvent: (event) => {
        before.note(event);
        if (event.type === 'shard') abort.abort();
      },
    });
    await expect(cancelled).rejects.toMatchObject({ code: 'merge_cancelled' });
    const after = await run(merge, { directory, threads: 1, chunkBytes: 1024 * 1024 });
    expect(after.resumed).toEqual(Object.keys(before.outcome.sha256));
    expect(after.outcome.sha256).toEqual(whole.outcome.sha256);
    expect({ ...before.outcome.statistics, ...after.outcome.statistics }).toEqual(whole.outcome.statistics);
  });

  it.each(Object.keys(methods))('by %s is the same after kill -9', async (method) => {
    const merge = await planOf('large', method);
    const whole = await run(merge, { threads: 1, chunkBytes: 1024 * 1024 });
    const directory = join(root, `killed-${method}`);
    mkdirSync(directory);
    const firstShard = merge.plan.shards[0]?.file ?? '';
    await killAfter(join(directory, firstShard), merge, directory);
    expect(existsSync(join(directory, merge.plan.shards[1]?.file ?? ''))).toBe(false);
    const after = await run(merge, { directory, threads: 2, chunkBytes: 100_003 });
    expect(after.resumed).toEqual([firstShard]);
    expect(after.outcome.sha256).toEqual(whole.outcome.sha256);
    expect(whole.outcome.statistics).toMatchObject(after.outcome.statistics);
  });
});

/** Carries the plan out in a process of its own, and kills that as soon as the file is there. */
async function killAfter(path: string, merge: { plan: MergePlan; locate: Locate }, directory: string): Promise<void> {
  const engine = new URL('../../dist/src/engine/index.js', import.meta.url).href;
  const folders = merge.plan.inputs.map((_input, index) => merge.locate(index, ''));
  const request = join(root, 'request.json');
  writeFileSync(request, JSON.stringify({ plan: merge.plan, folders, directory }));
  const program = `
    import { readFileSync } from 'node:fs';
    import { execute } from ${JSON.stringify(engine)};
    const { plan, folders, directory } = JSON.parse(readFileSync(${JSON.stringify(request)}, 'utf8'));
    await execute(plan, { directory, threads: 1, chunkBytes: 1, locate: (input, file) => folders[input] + '/' + file });
  `;
  const script = join(root, 'merge.mjs');
  writeFileSync(script, program);
  const child = spawn(process.execPath, [script], { stdio: 'inherit' });
  const exited = once(child, 'exit');
  await until('the first shard is finished', () => existsSync(path));
  child.kill('SIGKILL');
  await exited;
}
