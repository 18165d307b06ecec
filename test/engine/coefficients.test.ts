import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { damCoefficients, writeCoefficients } from '../support/coefficients.js';
import { tinyCheckpoint, writeCheckpoint } from '../support/checkpoints.js';
import { merge } from '../support/merge.js';
import { readModel, type StoredTensor, valuesOf } from '../support/safetensors.js';
import { encode } from '../support/tensors.js';

const recipe = 'merge_method: dam\nmodels: [{ model: chat }, { model: code }]\ncoefficients: coefficients\n';
const models = ['chat', 'code'];
const base = tinyCheckpoint({ seed: 1 });
const [first = ''] = base.tensors.keys();

type File = Map<string, StoredTensor>;
const vector = (length: number, dtype: StoredTensor['dtype'] = 'F32'): StoredTensor => {
  return { dtype, shape: [length], bytes: encode(dtype, new Float64Array(length)) };
};

describe('coefficients', () => {
  let root: string;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'amalgam-coefficients-'));
    for (const [i, name] of models.entries()) {
      writeCheckpoint(join(root, name), tinyCheckpoint({ seed: 2 + i, parent: base }));
    }
  });
  afterAll(() => rmSync(root, { recursive: true }));

  const mergeWith = async (file: File, description: object | string, text = recipe): Promise<File> => {
    const folder = mkdtempSync(join(root, 'case-'));
    const name = folder.slice(root.length + 1);
    writeCoefficients(folder, file, description);
    const directory = join(root, `out-${name}`);
    await merge({ recipe: text.replace('coefficients: coefficients', `coefficients: ${name}`), directory, cwd: root });
    return readModel(directory);
  };
  const whole = (): File => damCoefficients(base, models);
  const without = (...names: string[]): File => new Map([...whole()].filter(([name]) => !names.includes(name)));
  const both = [`${first}@chat`, `${first}@code`];

  it.each<[string, () => File, object | string, string]>([
    ['no description', whole, '', 'is not JSON'],
    ['another version', whole, { version: 2, models }, 'another version'],
    ['models that are no list', whole, { models: 'chat' }, 'no list of different names'],
    ['a model twice', whole, { models: ['chat', 'chat'] }, 'no list of different names'],
    ['an unknown word', whole, { models, absent: 'zero' }, 'absent'],
    ['another number of models', () => damCoefficients(base, ['chat']), { models: ['chat'] }, 'is for 1 models'],
    ['the models in another order', whole, { models: ['code', 'chat'] }, 'in this order'],
    ['a tensor missing', () => without(...both), { models }, `has no "${first}@chat"`],
    ['half a tensor missing', () => without(`${first}@code`), { models, absent: 'mean' }, `has no "${first}@code"`],
    ['a name of no tensor', () => whole().set('nothing@chat', vector(1)), { models }, 'no tensor of the result'],
    ['a name of no model', () => whole().set(`${first}@base`, vector(1)), { models }, 'one of its models'],
    ['another shape', () => whole().set(`${first}@chat`, vector(3)), { models }, 'a coefficient for each column'],
    [
      'whole numbers',
      () => whole().set(`${first}@chat`, { ...vector(1), dtype: 'I32' as StoredTensor['dtype'] }),
      { models },
      'floating point',
    ],
  ])('are refused with %s', async (_what, file, description, message) => {
    await expect(mergeWith(file(), description)).rejects.toMatchObject({
      code: 'coefficients_invalid',
      details: { pointer: '/coefficients' },
    });
    await expect(mergeWith(file(), description)).rejects.toThrow(message);
  });

  it('are asked for, and not taken by another method', async () => {
    await expect(merge({ recipe: recipe.replace(/coefficients.*/, ''), directory: root })).rejects.toMatchObject({
      code: 'coefficients_required',
    });
  });

  it('may leave tensors out, where the file says what becomes of them', async () => {
    const [chat, code] = models.map((name) => readModel(join(root, name)).get(first));
    if (chat === undefined || code === undefined) throw new Error('no tensor');
    const mean = valuesOf(chat).map((value, i) => Math.fround((value + (valuesOf(code)[i] ?? 0)) / 2));
    const merged = await mergeWith(without(...both), { models, absent: 'mean' });
    valuesOf(merged.get(first) ?? chat).forEach((value, i) => expect(value).toBeCloseTo(mean[i] ?? 0, 6));
    expect((await mergeWith(without(...both), { models, absent: 'code' })).get(first)).toEqual(code);
  });

  it('may be for some tensors only, when others are merged in another way', async () => {
    const text = `${recipe}overrides: [{ filter: ${first}, merge_method: passthrough }]\n`;
    await expect(mergeWith(whole(), { models }, text)).rejects.toMatchObject({ code: 'too_many_models' });
    const linear = `${recipe}overrides: [{ filter: ${first}, merge_method: linear, parameters: { weight: 1 } }]\n`;
    expect((await mergeWith(whole(), { models }, linear)).size).toBe(base.tensors.size);
  });
});
