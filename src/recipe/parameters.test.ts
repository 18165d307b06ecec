import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type ParameterScope, type TensorPlace, resolveParameter } from './parameters.js';
import type { Setting } from './schema.js';

const mlp = 'model.layers.1.mlp.up_proj.weight';
const at = (t: number, names: Partial<TensorPlace> = {}): TensorPlace => ({ outputTensor: mlp, t, ...names });

describe('resolveParameter', () => {
  it('asks the nearest level first', () => {
    const scope: ParameterScope = { own: { w: 1 }, slice: { w: 2 }, module: { w: 3 }, global: { w: 4 } };
    expect(resolveParameter(scope, 'w', at(0))).toBe(1);
    expect(resolveParameter({ ...scope, own: {} }, 'w', at(0))).toBe(2);
    expect(resolveParameter({ module: { w: 3 }, global: { w: 4 } }, 'w', at(0))).toBe(3);
    expect(resolveParameter({ global: { w: 4 } }, 'w', at(0))).toBe(4);
    expect(resolveParameter(scope, 'missing', at(0))).toBeUndefined();
    expect(resolveParameter(scope, 'toString', at(0))).toBeUndefined();
  });

  it('passes over a level whose filters do not match', () => {
    const scope: ParameterScope = { own: { w: [{ filter: 'mlp', value: 5 }] }, slice: { w: 2 } };
    expect(resolveParameter(scope, 'w', at(0))).toBe(5);
    expect(resolveParameter(scope, 'w', { outputTensor: 'lm_head.weight', t: 0 })).toBe(2);
  });

  it('takes the first entry that matches, as part of the name', () => {
    const setting: Setting = [
      { filter: 'layers.1.mlp', value: 1 },
      { filter: 'up_proj', value: 2 },
      { filter: '*', value: 3 },
    ];
    expect(resolveParameter({ global: { t: setting } }, 't', at(0))).toBe(1);
    expect(resolveParameter({ global: { t: setting } }, 't', { outputTensor: 'x.up_proj', t: 0 })).toBe(2);
    expect(resolveParameter({ global: { t: setting } }, 't', { outputTensor: 'norm', t: 0 })).toBe(3);
  });

  it('tests the name in the input, where one is given, on every level', () => {
    const scope: ParameterScope = {
      own: { w: [{ filter: 'layers.7', value: 1 }] },
      global: { w: [{ filter: 'layers.7', value: 2 }, { value: 3 }] },
    };
    expect(resolveParameter(scope, 'w', at(0, { inputTensor: 'layers.7.mlp' }))).toBe(1);
    expect(resolveParameter({ global: scope.global ?? {} }, 'w', at(0, { inputTensor: 'layers.7.mlp' }))).toBe(2);
    expect(resolveParameter({ global: scope.global ?? {} }, 'w', at(0))).toBe(3);
  });

  it('interpolates a gradient over the layers', () => {
    const scope: ParameterScope = { global: { t: [0, 0.5, 0.3, 0.7, 1] } };
    expect(resolveParameter(scope, 't', at(0))).toBe(0);
    expect(resolveParameter(scope, 't', at(0.25))).toBe(0.5);
    expect(resolveParameter(scope, 't', at(0.125))).toBe(0.25);
    expect(resolveParameter(scope, 't', at(1))).toBe(1);
    expect(resolveParameter({ global: { t: [0.4] } }, 't', at(0.7))).toBe(0.4);
  });

  it('steps through a gradient of booleans', () => {
    const scope: ParameterScope = { global: { flag: [true, false, true] } };
    expect([0, 0.49, 0.5, 0.99, 1].map((t) => resolveParameter(scope, 'flag', at(t)))).toEqual([
      true,
      true,
      false,
      false,
      true,
    ]);
  });

  it('agrees with the definition, written the long way', () => {
    const scalar = fc.double({ min: -2, max: 2, noNaN: true });
    const value = fc.oneof(scalar, fc.array(scalar, { minLength: 1, maxLength: 5 }));
    const condition = fc.record(
      { value, filter: fc.constantFrom('mlp', 'attn', '*', 'layers.1', '') },
      { requiredKeys: ['value'] },
    );
    const setting: fc.Arbitrary<Setting> = fc.oneof(value, fc.array(condition, { minLength: 1, maxLength: 4 }));
    const level = fc.option(fc.record({ w: setting }, { requiredKeys: [] }), { nil: undefined });
    fc.assert(
      fc.property(
        fc.tuple(level, level, level, level),
        fc.constantFrom('a.mlp', 'layers.1.attn', 'norm'),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (levels, name, t) => {
          const [own, slice, module, global] = levels;
          const scope = {
            ...(own && { own }),
            ...(slice && { slice }),
            ...(module && { module }),
            ...(global && { global }),
          };
          expect(resolveParameter(scope, 'w', { outputTensor: name, t })).toBe(naive(levels, name, t));
        },
      ),
    );
  });
});

type Level = { w?: Setting } | undefined;

function naive(levels: Level[], name: string, t: number): number | undefined {
  const candidates = levels.flatMap((level) => {
    const setting = level?.w;
    if (setting === undefined) return [];
    if (typeof setting !== 'object') return [[Number(setting)]];
    if (typeof setting[0] !== 'object') return [setting.map(Number)];
    return setting
      .map((entry) => entry as { value: number | number[]; filter?: string })
      .filter(({ filter }) => filter === undefined || filter === '*' || name.includes(filter))
      .slice(0, 1)
      .map((entry) => [entry.value].flat());
  });
  const values = candidates[0];
  if (values === undefined) return undefined;
  const x = t * (values.length - 1);
  const low = Math.floor(x);
  const high = low + 1 < values.length ? low + 1 : low;
  return (1 - (x - low)) * (values[low] ?? NaN) + (x - low) * (values[high] ?? NaN);
}
