import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FloatDtype } from '../../src/engine/checkpoint/dtype.js';
import type { MergeEvent, ReportMode, TensorReport } from '../../src/engine/index.js';
import { type TinyCheckpoint, writeCheckpoint } from '../support/checkpoints.js';
import { merge } from '../support/merge.js';
import { Random } from '../support/random.js';
import { readModel, valuesOf } from '../support/safetensors.js';
import { encode } from '../support/tensors.js';

// In jest's contexts every look at a global costs a microsecond.
const { abs, ceil, floor, log10, sign } = Math;

/** More than 64 canonical blocks of 16,384 elements, and no multiple of them. */
const shapes: Record<string, number[]> = {
  'model.embed_tokens.weight': [1100, 1009],
  'model.layers.0.self_attn.q_proj.weight': [130, 127],
  'model.norm.weight': [5],
};
const blockElements = 16_384;
const names = ['base', 'a', 'b', 'c'] as const;

let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'amalgam-report-'));
  const dtypes: FloatDtype[] = ['BF16', 'F16', 'BF16', 'F32'];
  const random = new Random(7);
  const parent = new Map(Object.entries(shapes).map(([name, shape]) => [name, values(shape, random)]));
  names.forEach((name, k) => {
    const dtype = dtypes[k] ?? 'F32';
    const tensors: TinyCheckpoint['tensors'] = new Map();
    for (const [tensor, shape] of Object.entries(shapes)) {
      // A task vector is zero in many places, as after the training of some parts only.
      const changed = (parent.get(tensor) ?? []).map((x) =>
        k > 0 && random.chance(0.6) ? x + random.normal() / 8 : x,
      );
      tensors.set(tensor, { dtype, shape, bytes: encode(dtype, changed) });
    }
    writeCheckpoint(join(root, name), { request: { seed: k }, config: undefined, tensors });
  });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function values(shape: number[], random: Random): number[] {
  return Array.from({ length: shape.reduce((product, size) => product * size, 1) }, () => random.normal());
}

const recipes = {
  linear: 'merge_method: linear\nmodels: [a, b, c]\nparameters: { weight: 1 }\n',
  ties: 'merge_method: ties\nbase_model: base\nmodels: [a, b, c]\nparameters: { weight: 0.5, density: 0.4 }\n',
  slerp: 'merge_method: slerp\nbase_model: base\nmodels: [c]\nparameters: { t: 0.3 }\n',
};
const inputsOf = { linear: ['a', 'b', 'c'], ties: ['base', 'a', 'b', 'c'], slerp: ['base', 'c'] };

async function reportsOf(
  method: keyof typeof recipes,
  report: ReportMode,
  directory = mkdtempSync(join(root, 'out-')),
): Promise<TensorReport[]> {
  const recipe = recipes[method].replace(/\[(.*)\]/, (_all, list: string) => {
    return `[${list.replace(/\w+/g, '{ model: $& }')}]`;
  });
  const events: TensorReport[] = [];
  const { result } = await merge({
    recipe: `${recipe}dtype: float32\n`,
    cwd: root,
    directory,
    plan: { report },
    execute: {
      onEvent: (event) => {
        if (event.type === 'tensor') events.push(event.report);
      },
    },
  });
  expect(events.sort((x, y) => (x.tensor < y.tensor ? -1 : 1))).toEqual(result.reports);
  return result.reports;
}

/** The same numbers by plain arithmetic in f64 over the stored values. */
function expected(tensor: string, method: keyof typeof recipes, mode: ReportMode, directory: string): object {
  const stored = inputsOf[method].map((model) => valuesOf(readModel(join(root, model)).get(tensor)!));
  const result = valuesOf(readModel(directory).get(tensor)!);
  const hasBase = method !== 'linear';
  const looked = Array.from(result.keys()).filter((i) => mode === 'full' || floor(i / blockElements) % 64 === 0);
  const reference = (i: number): number =>
    hasBase ? stored[0]![i]! : stored.reduce((sum, input) => sum + input[i]!, 0) / stored.length;
  const deltas = stored.slice(hasBase ? 1 : 0).map((input) => looked.map((i) => input[i]! - reference(i)));
  const dots = deltas.flatMap((x, i) =>
    deltas.slice(i).map((y) => x.reduce((sum, value, at) => sum + value * y[at]!, 0)),
  );
  const signs = looked.map((_i, at) => deltas.map((delta) => sign(delta[at]!)).filter((side) => side !== 0));
  const changed = (i: number): boolean => result[i] !== stored[0]![i];
  return {
    tensor,
    elements: result.length,
    nan: 0,
    infinite: 0,
    deltas: {
      reference: hasBase ? 'base' : 'mean',
      models: hasBase ? deltas.map((_delta, k) => k + 1) : deltas.map((_delta, k) => k),
      seen: looked.length,
      gram: dots.map((dot) => expect.closeTo(dot, 9 - ceil(log10(1 + abs(dot))))),
      contested: signs.filter((found) => found.length >= 2).length,
      conflicting: signs.filter((found) => new Set(found).size === 2).length,
      ...(hasBase && {
        nonZero: deltas.map((delta) => delta.filter((value) => value !== 0).length),
        kept: deltas.map((delta) => looked.filter((i, at) => delta[at] !== 0 && changed(i)).length),
      }),
    },
  };
}

describe('the report of a merge', () => {
  const cases = (['linear', 'ties', 'slerp'] as const).flatMap((method) =>
    (['full', 'sampled'] as const).map((mode) => [method, mode] as const),
  );

  test.each(cases)('by %s, %s, is what plain arithmetic says', async (method, mode) => {
    const directory = mkdtempSync(join(root, 'out-'));
    const reports = await reportsOf(method, mode, directory);
    expect(reports.map(({ tensor }) => tensor).sort()).toEqual(Object.keys(shapes).sort());
    for (const report of reports) expect(report).toEqual(expected(report.tensor, method, mode, directory));
  });

  test('sees of a large tensor every 64th block, of a small one all, and says so', async () => {
    const seen = new Map((await reportsOf('ties', 'sampled')).map(({ tensor, deltas }) => [tensor, deltas?.seen]));
    expect(seen.get('model.embed_tokens.weight')).toBe(2 * blockElements);
    expect(seen.get('model.layers.0.self_attn.q_proj.weight')).toBe(blockElements);
    expect(seen.get('model.norm.weight')).toBe(5);
  });

  test('keeps to what TIES keeps: a task vector alone is kept at its density', async () => {
    const recipe =
      'merge_method: ties\nbase_model: base\nmodels: [{ model: c, parameters: { weight: 1, density: 0.25 } }]\n';
    const directory = mkdtempSync(join(root, 'out-'));
    const { result } = await merge({ recipe, cwd: root, directory, plan: { report: 'full' } });
    const [embed] = result.reports;
    expect(embed?.deltas?.kept?.[0]).toBe(Math.trunc(0.25 * (embed?.elements ?? 0)));
  });

  test('has nothing but NaN and infinity to tell when none is asked for', async () => {
    for (const report of await reportsOf('linear', 'none')) expect(report).not.toHaveProperty('deltas');
  });

  test('of shards that an earlier attempt finished is kept beside them', async () => {
    const recipe = 'merge_method: linear\nmodels: [{ model: a }, { model: b }]\nparameters: { weight: 1 }\n';
    const [directory, reports] = [mkdtempSync(join(root, 'out-')), mkdtempSync(join(root, 'reports-'))];
    const run = async (): Promise<{ reports: TensorReport[]; resumed: boolean[] }> => {
      const resumed: boolean[] = [];
      const onEvent = (event: MergeEvent): void => {
        if (event.type === 'shard') resumed.push(event.resumed);
      };
      const request = { recipe, cwd: root, directory, plan: { shardBytes: 65_536 }, execute: { reports, onEvent } };
      return { reports: (await merge(request)).result.reports, resumed };
    };
    const first = await run();
    expect(first.resumed).toEqual([false, false, false]);
    expect(await run()).toEqual({ ...first, resumed: [true, true, true] });
    // One that is lost is made again, with its shard.
    rmSync(join(reports, readdirSync(reports).sort()[1] ?? ''));
    expect(await run()).toEqual({ ...first, resumed: [true, false, true] });
  });
});
