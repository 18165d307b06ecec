import { describe, expect, it, jest } from '@jest/globals';
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OutputTensor, shardFiles } from '../../src/engine/checkpoint/layout.js';
import { execute } from '../../src/engine/index.js';
import { planOf } from '../support/determinism.js';
import { itNeedsNoMoreMemory } from '../support/memory-suite.js';
import { readSafetensors, valuesOf } from '../support/safetensors.js';
import { encode } from '../support/tensors.js';

jest.setTimeout(600_000);

describe('a model that comes from a counter', () => {
  itNeedsNoMoreMemory(['linear', 'ties'], [1, 4]);
});

describe('a file of 10 GB', () => {
  it('is read at its end, beyond what 32 bits count', async () => {
    const root = mkdtempSync(join(tmpdir(), 'amalgam-sparse-'));
    const tensors: OutputTensor[] = [
      // All but the last tensor are holes: they take no disk.
      ...['a', 'b'].map((name): OutputTensor => ({ name, dtype: 'BF16', shape: [2_500_000, 1000] })),
      { name: 'last', dtype: 'BF16', shape: [3, 5] },
    ];
    const values = Float64Array.from({ length: 15 }, (_item, i) => i - 7.5);
    try {
      for (const [model, factor] of [['one', 1] as const, ['two', 3] as const]) {
        mkdirSync(join(root, model));
        const [{ header, bytes } = { header: new Uint8Array(0), bytes: 0 }] = shardFiles(tensors, Infinity);
        const file = openSync(join(root, model, 'model.safetensors'), 'w');
        writeSync(file, header);
        ftruncateSync(file, bytes);
        const last = encode(
          'BF16',
          values.map((value) => value * factor),
        );
        writeSync(file, last, 0, last.byteLength, bytes - last.byteLength);
        closeSync(file);
        writeFileSync(join(root, model, 'config.json'), JSON.stringify({ architectures: ['LlamaForCausalLM'] }));
        expect(bytes).toBeGreaterThan(1e10);
      }
      const models = ['one', 'two'].map((model) => `{ model: ${model}, parameters: { weight: 1 } }`);
      const recipe = `merge_method: linear\nmodels: [${models.join()}]\n`;
      const { plan, folders } = await planOf(recipe, root, { shardBytes: 1e9 });
      const shard = plan.shards.findIndex((each) => each.tensors.some(({ name }) => name === 'last'));
      expect(plan.shards[shard]?.tensors.map(({ name }) => name)).toEqual(['last']);
      const locate = (input: number, file: string): string => join(folders[input] ?? '', file);
      await execute(plan, { directory: root, shards: [shard], threads: 1, locate });
      const merged = readSafetensors(join(root, plan.shards[shard]?.file ?? '')).get('last');
      expect(merged && [...valuesOf(merged)]).toEqual([...values.map((value) => value * 2)]);
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});
