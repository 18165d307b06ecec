import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect, localDirectory } from '../../src/engine/index.js';
import { type TinyCheckpoint, tinyCheckpoint, writeCheckpoint } from '../support/checkpoints.js';
import { amalgam, type CommandResult, withoutProgress } from '../support/command.js';
import { valuesOf } from '../support/safetensors.js';
import { encode } from '../support/tensors.js';

jest.setTimeout(60_000);

const linear = `merge_method: linear
models:
  - { model: whole, parameters: { weight: 0.5 } }
  - { model: broken, parameters: { weight: 0.5 } }
`;
const copyOfBroken = `merge_method: passthrough
models:
  - { model: broken }
`;
const spoilt = 'model.layers.1.mlp.up_proj.weight';

/** One value of one tensor, replaced. */
function withValue(checkpoint: TinyCheckpoint, value: number): TinyCheckpoint {
  const tensor = checkpoint.tensors.get(spoilt)!;
  const values = valuesOf(tensor);
  values[77] = value;
  checkpoint.tensors.set(spoilt, { ...tensor, bytes: encode(checkpoint.request.dtype ?? 'F32', values) });
  return checkpoint;
}

describe('a merge that would write NaN', () => {
  let root: string;
  const merge = (recipe: string, ...argv: string[]): Promise<CommandResult> => {
    writeFileSync(join(root, 'recipe.yaml'), recipe);
    return amalgam(['merge', 'recipe.yaml', 'out', '--json', ...argv], { cwd: root });
  };
  const entries = (): string[] => readdirSync(root).sort();

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'amalgam-nan-'));
    writeCheckpoint(join(root, 'whole'), tinyCheckpoint({ seed: 1, dtype: 'BF16' }));
    writeCheckpoint(join(root, 'broken'), withValue(tinyCheckpoint({ seed: 2, dtype: 'BF16' }), NaN));
    writeCheckpoint(join(root, 'infinite'), withValue(tinyCheckpoint({ seed: 3, dtype: 'BF16' }), Infinity));
  });
  beforeEach(() => rmSync(join(root, 'out'), { recursive: true, force: true }));
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it.each([
    ['computed', linear],
    ['copied', copyOfBroken],
  ])('that is %s is refused by the name of the tensor, and leaves nothing behind', async (_how, recipe) => {
    // Small shards: some of them are finished before the NaN is met.
    const { status, stderr } = await merge(recipe, '--out-shard-size', '4000', '-j', '1');
    expect(status).toBe(1);
    expect(stderr).toContain('nan_in_result');
    expect(stderr).toContain(spoilt);
    expect(entries()).toEqual(['broken', 'infinite', 'recipe.yaml', 'whole']);
  });

  it('is carried out when that is allowed', async () => {
    const { status, stderr } = withoutProgress(await merge(linear, '--allow-nan'));
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect((await inspect(localDirectory(join(root, 'out')))).tensors.has(spoilt)).toBe(true);
  });

  it('is none that writes infinity', async () => {
    const { status } = await merge(linear.replace('broken', 'infinite'));
    expect(status).toBe(0);
  });
});
