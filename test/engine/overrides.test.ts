import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { dump } from 'js-yaml';
import { inspect, localDirectory, type MergePlan, plan, type PlanModel } from '../../src/engine/index.js';
import { type MethodName, methods, parseRecipe } from '../../src/recipe/index.js';
import { tinyCheckpoint, writeCheckpoint } from '../support/checkpoints.js';

const selectors = [
  {},
  { filter: 'mlp' },
  { glob: '*.weight' },
  { regex: '[qk]_proj' },
  { layers: [0, 2] },
  ...['embed', 'attention', 'mlp', 'norm', 'head'].map((role) => ({ role })),
];

/** A recipe that merges `a` and `b`, against `c` where the method has a base beside them. */
function written(method: MethodName): Record<string, unknown> {
  if (method === 'slerp') {
    return { merge_method: method, base_model: 'a', models: named('a', 'b'), parameters: { t: [0.2, 0.8] } };
  }
  const parameters = { weight: [{ filter: 'mlp', value: [0.1, 0.9] }, { value: 0.5 }] };
  const base = methods[method].base === 'required' ? { base_model: 'c' } : {};
  return { merge_method: method, ...base, models: named('a', 'b'), parameters };
}

const named = (...models: string[]): { model: string }[] => models.map((model) => ({ model }));

describe('overrides in a plan', () => {
  const directory = mkdtempSync(join(tmpdir(), 'amalgam-overrides-'));
  const models = new Map<string, PlanModel>();

  beforeAll(async () => {
    for (const [seed, name] of ['a', 'b', 'c'].entries()) {
      writeCheckpoint(join(directory, name), tinyCheckpoint({ seed }));
      const files = localDirectory(join(directory, name));
      models.set(name, { files, checkpoint: await inspect(files), digest: name });
    }
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const planned = (recipe: object): Promise<MergePlan> =>
    plan(parseRecipe(dump(recipe, { skipInvalid: true })).recipe, { models, seed: 7 });
  /** What happens to every tensor, its inputs by name. */
  const operations = (merge: MergePlan): Map<string, unknown> => {
    const name = (input: number): string => merge.inputs[input]?.reference ?? '';
    const tensors = merge.shards.flatMap((shard) => shard.tensors);
    return new Map(
      tensors.map(({ name: tensor, operation }): [string, unknown] => {
        if (operation.kind === 'copy') return [tensor, { copy: name(operation.source.input) }];
        return [
          tensor,
          { ...operation, inputs: operation.inputs.map((slice) => ({ ...slice, input: name(slice.input) })) },
        ];
      }),
    );
  };

  const method = fc.constantFrom<MethodName>('linear', 'slerp', 'task_arithmetic', 'ties');

  it('change nothing where they say what the recipe says', async () => {
    await fc.assert(
      fc.asyncProperty(method, fc.constantFrom(...selectors), fc.boolean(), async (name, selector, whole) => {
        const recipe = written(name);
        const { merge_method, base_model, parameters } = recipe;
        const override = { ...selector, merge_method, ...(whole && { base_model, parameters }) };
        const overridden = await planned({ ...recipe, overrides: [override] });
        expect(operations(overridden)).toEqual(operations(await planned(recipe)));
      }),
      { numRuns: 60 },
    );
  });

  it('give the tensors that they take what a recipe of that method gives them, the first match winning', async () => {
    await fc.assert(
      fc.asyncProperty(method, method, method, fc.constantFrom(...selectors), async (own, first, second, selector) => {
        const everything = Object.fromEntries([own, first, second].map((name) => [name, written(name)]));
        const overrideOf = (name: MethodName): object => {
          const { models: _models, ...rest } = everything[name] ?? {};
          return rest;
        };
        const recipe = {
          ...everything[own],
          overrides: [
            { role: 'mlp', ...overrideOf(first) },
            { ...selector, ...overrideOf(second) },
          ],
        };
        const result = operations(await planned(recipe));
        const alone = async (name: MethodName): Promise<Map<string, unknown>> =>
          operations(await planned(written(name)));
        const [mine, firsts, seconds] = [await alone(own), await alone(first), await alone(second)];
        const taken = operations(
          await planned({ ...written('linear'), overrides: [{ ...selector, parameters: { weight: 9 } }] }),
        );
        const untouched = await alone('linear');
        for (const [tensor, operation] of result) {
          const isTaken = JSON.stringify(taken.get(tensor)) !== JSON.stringify(untouched.get(tensor));
          const expected = tensor.includes('.mlp.') ? firsts : isTaken ? seconds : mine;
          expect({ tensor, operation }).toEqual({ tensor, operation: expected.get(tensor) });
        }
      }),
      { numRuns: 60 },
    );
  });

  it('leave a model out of the tensors that they merge without it, and the plan says so', async () => {
    const override = { role: 'attention', merge_method: 'slerp', base_model: 'a', parameters: { t: 0.5 } };
    const { dropped, inputs } = await planned({ ...written('ties'), overrides: [override] });
    expect(dropped).toHaveLength(12);
    expect(new Set(dropped.map(({ input, reason }) => `${inputs[input]?.reference ?? ''}: ${reason}`))).toEqual(
      new Set(['c: an override merges this tensor without the model']),
    );
  });

  it('let slices have methods of their own', async () => {
    const source = (model: string, from: number, to: number): object => ({ model, layer_range: [from, to] });
    const merge = await planned({
      merge_method: 'passthrough',
      slices: [
        { sources: [source('a', 0, 1)] },
        {
          sources: [source('a', 1, 3), source('b', 1, 3)],
          merge_method: 'slerp',
          base_model: 'a',
          parameters: { t: 0.5 },
        },
      ],
    });
    const found = operations(merge);
    expect(found.get('model.layers.0.mlp.up_proj.weight')).toEqual({ copy: 'a' });
    expect(found.get('model.layers.1.mlp.up_proj.weight')).toMatchObject({ method: 'slerp', settings: { t: 0.5 } });
  });

  it('are refused when their base is no source of the slice', () => {
    const recipe = {
      merge_method: 'passthrough',
      slices: [{ sources: [{ model: 'a', layer_range: [0, 3] }] }],
      overrides: [{ role: 'mlp', merge_method: 'task_arithmetic', base_model: 'c', parameters: { weight: 1 } }],
    };
    expect(() => parseRecipe(recipe)).toThrow('among the sources');
  });
});
