import { describe, expect, it } from '@jest/globals';
import { findRecipePosition } from './recipe-position.js';

const text = 'merge_method: linear\nmodels:\n  - model: a\n    parameters:\n      "a/b": 1\n';

describe('findRecipePosition', () => {
  it.each([
    ['', { line: 1, column: 1 }],
    ['/models/0/model', { line: 3, column: 12 }],
    ['/models/0/parameters/a~1b', { line: 5, column: 14 }],
    // Of what is missing, the place where it is missing.
    ['/models/0/parameters/weight', { line: 5, column: 7 }],
  ])('finds %j', (pointer, position) => expect(findRecipePosition(text, pointer)).toEqual(position));

  it('finds nothing in what is not YAML', () => expect(findRecipePosition('a: [', '/a')).toBeUndefined());
});
