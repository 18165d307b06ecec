import { describe, expect, it } from '@jest/globals';
import { EngineError } from '../engine/index.js';
import { parseRecipe } from '../recipe/index.js';
import { describeError } from './describe-error.js';
import { Failure } from './failure.js';

const recipe = { path: 'r.yaml', text: 'merge_method: linear\nmodels:\n  - model: a\n' };

describe('describeError', () => {
  it('places what the planner refuses in the YAML', () => {
    const error = new EngineError('depth_mismatch', 'they differ', { pointer: '/models/0/model' });
    expect(describeError(error, recipe)).toBe('r.yaml:3:12: error depth_mismatch: they differ (/models/0/model)');
  });

  it('names no file where the recipe is not to blame', () => {
    expect(describeError(new EngineError('storage_full', 'no space'), recipe)).toBe('error storage_full: no space');
    expect(describeError(new Failure('model_not_found', 'x\u001b[1m'))).toBe('error model_not_found: x\ufffd[1m');
  });

  it('lists everything that is wrong with a recipe', () => {
    const text = 'merge_method: linear\nmodels: 3\nslices: 4\n';
    let error: unknown;
    try {
      parseRecipe(text);
    } catch (caught) {
      error = caught;
    }
    const lines = describeError(error, { path: 'r.yaml', text }).split('\n');
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) expect(line).toMatch(/^r\.yaml:\d+:\d+: (error|warning) [a-z_]+: .+/);
  });

  it('keeps the stack of a defect, and shows a system error as a sentence', () => {
    expect(describeError(new TypeError('oops'))).toMatch(/TypeError: oops\n +at /);
    const missing = Object.assign(new Error("ENOENT: no such file, open 'x'"), { code: 'ENOENT' });
    expect(describeError(missing)).toBe("error ENOENT: ENOENT: no such file, open 'x'");
  });
});
