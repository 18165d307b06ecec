import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { merge } from '../support/merge.js';
import { SPARSE_SHARD_BYTES, writeSparseExperts } from '../support/sparse-experts.js';

jest.setTimeout(240_000);

/** A mixture of experts that keeps every expert's matrices apart: what 64 experts in 104 layers come to. */
const TENSORS = 20_000;

const pair = 'models:\n- { model: a, parameters: { weight: 0.6 } }\n- { model: b, parameters: { weight: 0.4 } }\n';
const recipes: Record<string, string> = {
  linear: `merge_method: linear\n${pair}`,
  slerp: 'merge_method: slerp\nbase_model: a\nmodels: [{ model: b }]\nparameters: { t: 0.5 }\n',
  ties: `merge_method: ties\nbase_model: base\n${pair}parameters: { density: 0.5 }\n`,
};

let root = '';

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'amalgam-many-'));
  for (const count of [TENSORS / 4, TENSORS]) {
    for (const model of ['base', 'a', 'b']) writeSparseExperts(join(root, String(count), model), count);
  }
});
afterAll(() => rmSync(root, { recursive: true }));

async function processorSecondsFor(count: number, recipe: string): Promise<number> {
  const directory = mkdtempSync(join(root, 'out-'));
  const begun = process.cpuUsage();
  const { plan } = await merge({
    recipe,
    directory,
    cwd: join(root, String(count)),
    plan: { shardBytes: SPARSE_SHARD_BYTES },
  });
  // Of all threads: other programs on the machine must not decide.
  const { user, system } = process.cpuUsage(begun);
  rmSync(directory, { recursive: true });
  expect(plan.outcome).toEqual({ merged: count, copied: 0, dropped: 0 });
  return (user + system) / 1e6;
}

describe(`a merge of ${String(TENSORS)} tensors`, () => {
  it.each(Object.entries(recipes))(
    'by %s costs no more for each than a merge of a quarter of them',
    async (_method, recipe) => {
      await processorSecondsFor(TENSORS / 4, recipe);
      const some = await processorSecondsFor(TENSORS / 4, recipe);
      const all = await processorSecondsFor(TENSORS, recipe);
      // Four times the tensors; sixteen times the work if something were quadratic.
      expect(all / some).toBeLessThan(8);
    },
  );
});
