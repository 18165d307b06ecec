import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from '@jest/globals';

const root = resolve(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(resolve(root, path), 'utf8');

/** What CONTRIBUTING.md shows is what is there: whoever follows it writes what compiles and passes. */
test('the worked example of a method is the method', () => {
  const example = read('CONTRIBUTING.md').split('### A worked example')[1]?.split(/^## /m)[0] ?? '';
  const blocks = [...example.matchAll(/`((?:src|test)\/[\w/-]+\.ts)`[^`]*(?:`[^`\n/]+`[^`]*)*\n```ts\n([^]*?)```\n/g)];
  expect(blocks.map(([, path]) => path)).toEqual([
    'src/recipe/methods/expo.ts',
    'src/engine/methods/expo.ts',
    'test/support/reference-geometry.ts',
  ]);
  for (const [, path = '', code = ''] of blocks) {
    if (path.startsWith('src/')) expect(read(path)).toBe(code);
    else expect(read(path)).toContain(code);
  }
});

test('its name is where the example says, once in each', () => {
  const places: [string, RegExp][] = [
    ['src/recipe/methods/method.ts', /^ {2}'expo',$/gm],
    ['src/recipe/methods/registry.ts', /^ {2}expo,$/gm],
    ['src/engine/methods/registry.ts', /^ {2}expo,$/gm],
    ['test/support/references.ts', /^ {2}expo,$/gm],
    ['test/engine/precision-geometry.test.ts', /merge_method: 'expo'/g],
    ['test/support/method-recipes.ts', /merge_method: expo/g],
    ['test/bench/recipes.ts', /method: 'expo'/g],
  ];
  for (const [path, name] of places) expect({ path, found: read(path).match(name) }).toMatchObject({ found: [expect.any(String)] }); // prettier-ignore
});
