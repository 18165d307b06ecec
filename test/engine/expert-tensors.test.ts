import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type OutputTensor, shardFiles } from '../../src/engine/checkpoint/layout.js';
import { merge } from '../support/merge.js';
import { Random } from '../support/random.js';
import { writeCoefficients } from '../support/coefficients.js';
import { encode } from '../support/tensors.js';
import { readModel, type StoredTensor } from '../support/safetensors.js';

const EXPERTS = 5;
const [ROWS, COLUMNS] = [96, 130];
const STACKED = 'model.layers.0.mlp.experts.down_proj';
const apart = (expert: number): string => `model.layers.0.mlp.experts.${String(expert)}.down_proj.weight`;

let root = '';

/** The same numbers twice: the experts in one tensor, and each in its own. Later experts are larger. */
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'amalgam-experts-'));
  ['base', 'a', 'b'].forEach((model, seed) => {
    const random = new Random(seed + 1);
    const values = Float32Array.from({ length: EXPERTS * ROWS * COLUMNS }, (_unused, i) => {
      return random.normal() * 10 ** Math.floor(i / (ROWS * COLUMNS));
    });
    const stacked: OutputTensor[] = [{ name: STACKED, dtype: 'F32', shape: [EXPERTS, ROWS, COLUMNS] }];
    const single = Array.from({ length: EXPERTS }, (_unused, expert): OutputTensor => {
      return { name: apart(expert), dtype: 'F32', shape: [ROWS, COLUMNS] };
    });
    write(join(root, 'stacked', model), stacked, values);
    write(join(root, 'apart', model), single, values);
  });
  writeExpertCoefficients();
});
afterAll(() => rmSync(root, { recursive: true }));

/** Of each expert's columns: as one matrix of them, and for each expert's own tensor. */
function writeExpertCoefficients(): void {
  const models = ['a', 'b'];
  const random = new Random(9);
  const stacked = new Map<string, StoredTensor>();
  const single = new Map<string, StoredTensor>();
  for (const model of models) {
    const values = Float64Array.from({ length: EXPERTS * COLUMNS }, () => random.normal());
    const bytes = encode('F32', values);
    stacked.set(`${STACKED}@${model}`, { dtype: 'F32', shape: [EXPERTS, COLUMNS], bytes });
    for (let expert = 0; expert < EXPERTS; expert++) {
      const own = encode('F32', values.subarray(expert * COLUMNS, (expert + 1) * COLUMNS));
      single.set(`${apart(expert)}@${model}`, { dtype: 'F32', shape: [COLUMNS], bytes: own });
    }
  }
  writeCoefficients(join(root, 'stacked', 'coefficients'), stacked, { models });
  writeCoefficients(join(root, 'apart', 'coefficients'), single, { models });
}

function write(directory: string, tensors: OutputTensor[], values: Float32Array): void {
  mkdirSync(directory, { recursive: true });
  const [file] = shardFiles(tensors, 1e9);
  if (file === undefined) throw new Error('no file');
  writeFileSync(join(directory, file.name), Buffer.concat([file.header, Buffer.from(values.buffer)]));
}

const recipes: Record<string, string> = {
  ties: `merge_method: ties
base_model: base
models:
- { model: a, parameters: { weight: 0.6, density: 0.4 } }
- { model: b, parameters: { weight: 0.4, density: 0.7 } }
`,
  slerp: 'merge_method: slerp\nbase_model: a\nmodels: [{ model: b }]\nparameters: { t: 0.3 }\n',
  sce: 'merge_method: sce\nbase_model: base\nmodels: [{ model: a }, { model: b }]\nparameters: { select_topk: 0.4 }\n',
  dam: 'merge_method: dam\nmodels: [{ model: a }, { model: b }]\ncoefficients: coefficients\n',
  widen: 'merge_method: widen\nbase_model: base\nmodels: [{ model: a }, { model: b }]\n',
  arcee_fusion: 'merge_method: arcee_fusion\nbase_model: base\nmodels: [{ model: a }]\n',
};

it.each(Object.entries(recipes))(
  '%s merges stacked experts as if each were a tensor of its own',
  async (_name, recipe) => {
    const merged = async (form: string): Promise<ReturnType<typeof readModel>> => {
      const directory = mkdtempSync(join(root, 'out-'));
      await merge({ recipe, directory, cwd: join(root, form), execute: { threads: 2 } });
      return readModel(directory);
    };
    const [stacked, single] = [await merged('stacked'), await merged('apart')];
    const parts = Array.from({ length: EXPERTS }, (_unused, expert) => single.get(apart(expert))?.bytes ?? Buffer.of());
    expect(Buffer.compare(Buffer.concat(parts), stacked.get(STACKED)?.bytes ?? Buffer.of())).toBe(0);
  },
);
