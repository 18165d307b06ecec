import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { dump } from 'js-yaml';
import type { FloatDtype } from '../../src/engine/checkpoint/dtype.js';
import { type TinyCheckpoint, tinyCheckpoint, writeCheckpoint } from './checkpoints.js';
import type { ModelSizes } from './families.js';
import { damCoefficients, writeCoefficients } from './coefficients.js';
import { merge } from './merge.js';
import { precisionOf } from './precision.js';
import type { WrittenRecipe } from './recipes.js';
import { type Models, REFERENCE_SEED, referenceMerge } from './reference-merge.js';
import { readModel, type StoredTensor, valuesOf } from './safetensors.js';
import { encode } from './tensors.js';

/** The embedding fills one canonical block (16,384 elements) and part of a second. */
const SIZES: ModelSizes = { layers: 1, hidden: 60, heads: 4, keyValueHeads: 2, feedForward: 80, vocabulary: 301 };

/** Stored type, what the recipe says about types, and which recipes to try. */
export type PrecisionCase = [FloatDtype, Pick<WrittenRecipe, 'dtype' | 'out_dtype'>, string[]];

/**
 * Merges models of each stored type and holds every element against the f64 reference. The recipes may name `base`, its
 * relatives `a`, `b` and `c` (a near one), `mirrored` (the task vector of `a` with the signs turned) and a `stranger`, and
 * the `coefficients` of `a`, `b` and `stranger`.
 */
export function describePrecision(
  recipes: Readonly<Record<string, WrittenRecipe>>,
  types: readonly PrecisionCase[],
): void {
  describe.each(types)('%s with %j', (dtype, named, methods) => {
    let root = '';
    const stored = new Map<string, TinyCheckpoint['tensors']>();

    beforeAll(() => {
      root = mkdtempSync(join(tmpdir(), 'amalgam-precision-'));
      const common = { sizes: SIZES, dtype };
      const base = tinyCheckpoint({ ...common, seed: 1 });
      const a = tinyCheckpoint({ ...common, seed: 2, parent: base });
      const checkpoints: Record<string, TinyCheckpoint> = {
        base,
        a,
        b: tinyCheckpoint({ ...common, seed: 3, parent: base }),
        c: tinyCheckpoint({ ...common, seed: 4, parent: base, change: 0.01 }),
        mirrored: mirrored(a, base),
        stranger: tinyCheckpoint({ ...common, seed: 5 }),
      };
      for (const [name, checkpoint] of Object.entries(checkpoints)) {
        writeCheckpoint(join(root, name), checkpoint);
        stored.set(name, checkpoint.tensors);
      }
      const coefficients = damCoefficients(base, ['a', 'b', 'stranger']);
      writeCoefficients(join(root, 'coefficients'), coefficients, { models: ['a', 'b', 'stranger'] });
      stored.set('coefficients', coefficients);
    });
    afterAll(() => {
      rmSync(root, { recursive: true });
    });

    it.each(methods)('%s is as exact as promised', async (name) => {
      const recipe: WrittenRecipe = { merge_method: 'linear', ...recipes[name], ...named };
      const directory = join(root, `out ${name}`);
      await merge({ recipe: dump(recipe), directory, cwd: root, plan: { seed: REFERENCE_SEED } });
      const { judged, wrong, open, elements, faults } = judge(directory, recipe, stored);
      expect(faults).toEqual([]);
      expect(judged / elements).toBeGreaterThan(0.9);
      // Equal magnitudes are common among 16-bit numbers; elsewhere almost nothing may escape judgement.
      expect(open / elements).toBeLessThan(dtype === 'BF16' || named.dtype === 'bfloat16' ? 0.05 : 0.005);
      // A sum in f32 is not its exact value rounded once to f32: there the bound alone counts.
      const result = named.out_dtype ?? named.dtype ?? dtype;
      if (/^(b?f|bfloat|float)16$/i.test(result)) expect(wrong / judged).toBeLessThanOrEqual(0.001);
    });
  });
}

/** 2 base - model: its task vector is the other's with the signs turned, as far as the type can say so. */
function mirrored(model: TinyCheckpoint, base: TinyCheckpoint): TinyCheckpoint {
  const tensors = [...model.tensors].map(([name, tensor]): [string, StoredTensor] => {
    const [values, origin] = [valuesOf(tensor), valuesOf(base.tensors.get(name) ?? tensor)];
    const turned = values.map((value, i) => 2 * (origin[i] ?? 0) - value);
    return [name, { ...tensor, bytes: encode(tensor.dtype, turned) }];
  });
  return { ...model, tensors: new Map(tensors) };
}

function judge(
  directory: string,
  recipe: WrittenRecipe,
  stored: Models,
): { judged: number; wrong: number; open: number; elements: number; faults: string[] } {
  const ours = readModel(directory);
  const total = { judged: 0, wrong: 0, open: 0, elements: 0, faults: [] as string[] };
  for (const [name, expected] of referenceMerge(recipe, stored, SIZES.layers)) {
    const tensor = ours.get(name);
    if (tensor?.dtype !== expected.dtype) {
      total.faults.push(`${name} is ${tensor?.dtype ?? 'missing'}, not ${expected.dtype}`);
      continue;
    }
    const { worst, judged, wrong, open } = precisionOf(tensor, expected);
    if (worst > 1) total.faults.push(`${name}: an element is off by ${worst.toFixed(3)} times the bound`);
    total.judged += judged;
    total.wrong += wrong;
    total.open += open;
    total.elements += expected.value.length;
  }
  return total;
}
