import { describe, expect, test } from '@jest/globals';

import { decodeJsonText, JsonError, JsonScanner, type JsonValue } from './json-scanner.js';

function read(text: string, maxDepth = 8): JsonValue {
  const scanner = new JsonScanner(text);
  const value = scanner.value(maxDepth);
  scanner.end();
  return value;
}

function problemOf(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    if (error instanceof JsonError) return `${error.problem} ${error.offset}`;
    throw error;
  }
  return undefined;
}

describe('value', () => {
  test.each([
    '{}',
    '[]',
    ' \t\r\n{ "a" : [ 1 , -2.5e-3 , true , false , null ] , "b" : { } } ',
    '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00é😀"',
    '[0,-0,1e21,1E+2,9007199254740993]',
  ])('%s is what JSON.parse makes of it', (text) => {
    expect(read(text)).toEqual(JSON.parse(text));
  });

  test('takes what Python writes', () => {
    expect(read('[NaN,Infinity,-Infinity]')).toEqual([NaN, Infinity, -Infinity]);
  });

  test.each([
    ['{"a":1,"a":2}', 'duplicate_key 10'],
    ['{"a":1,"\\u0061":2}', 'duplicate_key 15'],
    ['{"__proto__":1}', 'syntax 13'],
    ['[1,]', 'syntax 3'],
    ['{"a":1,}', 'syntax 7'],
    ['{"a" 1}', 'syntax 5'],
    ['[1 2]', 'syntax 3'],
    ['[01]', 'syntax 2'],
    ['[+1]', 'syntax 1'],
    ['[.5]', 'syntax 1'],
    ['["a]', 'syntax 2'],
    ['["\\ud800"]', 'syntax 9'],
    ['["\\u12g4"]', 'syntax 2'],
    ['["\n"]', 'syntax 2'],
    ['["\\t\n"]', 'syntax 2'],
    ['{a:1}', 'syntax 1'],
    ['[]x', 'syntax 2'],
    ['', 'syntax 0'],
    ['[[[[[[[[1]]]]]]]]', 'depth 8'],
  ])('%j is refused: %s', (text, problem) => {
    expect(problemOf(() => read(text))).toBe(problem);
  });

  test('keeps how numbers were written that JavaScript writes otherwise', () => {
    const spellings = new Map<string, string>();
    new JsonScanner('{"a":30.0,"b":[1,1e-05],"c/d~":{"e":9007199254740993},"f":Infinity,"g":0.5}').value(8, spellings);
    expect([...spellings]).toEqual([
      ['/a', '30.0'],
      ['/b/1', '1e-05'],
      ['/c~1d~0/e', '9007199254740993'],
    ]);
  });

  test('twenty keys and one of them again', () => {
    const keys = Array.from({ length: 20 }, (_, at) => `"k${at}":0`);
    expect(Object.keys(read(`{${keys.join(',')}}`) as object)).toHaveLength(20);
    for (const again of [0, 15, 16, 19]) {
      expect(problemOf(() => read(`{${[...keys, `"k${again}":0`].join(',')}}`))).toMatch(/^duplicate_key/);
    }
  });
});

describe('count', () => {
  const count = (text: string) => {
    const scanner = new JsonScanner(text);
    const value = scanner.count();
    scanner.end();
    return value;
  };

  test.each([
    ['0', 0],
    [' 42 ', 42],
    ['9007199254740991', 2 ** 53 - 1],
  ])('%j is %d', (text, value) => {
    expect(count(text)).toBe(value);
  });

  test.each([
    ['9007199254740992', 'number 15'],
    ['-1', 'number 0'],
    ['-0', 'number 0'],
    ['1.0', 'number 1'],
    ['1e3', 'number 1'],
    ['00', 'syntax 2'],
    ['', 'syntax 0'],
    ['"1"', 'type 0'],
    ['null', 'type 0'],
    ['1 2', 'syntax 2'],
  ])('%j is refused: %s', (text, problem) => {
    expect(problemOf(() => count(text))).toBe(problem);
  });
});

test('text is strict UTF-8 without a byte order mark', () => {
  expect(decodeJsonText(Buffer.from('"é😀"'))).toBe('"é😀"');
  expect(problemOf(() => decodeJsonText(Buffer.from([0xff])))).toBe('encoding 0');
  expect(problemOf(() => decodeJsonText(Buffer.from('\ufeff{}')))).toBe('encoding 0');
});
