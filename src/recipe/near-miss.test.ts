import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { findMeant, slips } from './near-miss.js';

const known = ['merge_method', 'base_model', 'models', 'slices', 'dtype', 'parameters', 't', 'eps', 'filter'];

describe('findMeant', () => {
  it.each([
    ['Models', 'models'],
    ['T', 't'],
    ['dype', 'dtype'],
    ['model', 'models'],
    ['modles', 'models'],
    ['paramters', 'parameters'],
    ['parametre', 'parameters'],
    ['base-modle', 'base_model'],
    ['mrege_metod', 'merge_method'],
    ['pattern', 'filter'],
    ['Pattern', 'filter'],
  ])('takes %s for %s', (written, meant) => {
    expect(findMeant(written, known)).toBe(meant);
  });

  it.each(['x', 'tt', 'modlz', 'silces_', 'weight', 'prmtrs', 'mergemethd2', ''])('takes %s for nothing', (written) => {
    expect(findMeant(written, known)).toBeUndefined();
  });

  it('does not read prototype members as known words', () => {
    expect(findMeant('constructor', known)).toBeUndefined();
    expect(findMeant('__proto__', known)).toBeUndefined();
  });
});

describe('slips', () => {
  it('is a distance: symmetric, zero for equals alone, at most the longer length', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 7 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        const found = slips(a, b);
        expect(found).toBe(slips(b, a));
        expect(found === 0).toBe(a === b);
        expect(found).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(found).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
      }),
    );
  });

  it('counts a swap of neighbours once', () => {
    expect(slips('weight', 'wieght')).toBe(1);
    expect(slips('weight', 'wgieht')).toBe(2);
  });
});
