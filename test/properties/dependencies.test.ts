import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from '@jest/globals';

const root = resolve(import.meta.dirname, '../..');

test('docs/dependencies.md says of every production dependency why it is there, and of no other', () => {
  const page = readFileSync(join(root, 'docs/dependencies.md'), 'utf8');
  const reasons = [...page.matchAll(/^\| `([^`]+)`\s*\| (\S.*?)\s*\|$/gm)].map(([, name]) => name);
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  expect(reasons).toEqual(Object.keys(dependencies));
});
