import { describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

interface SourceFile {
  path: string;
  lines: number;
}

function filesUnder(folder: string): SourceFile[] {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return { path: path.slice(root.length + 1), lines: readFileSync(path, 'utf8').split('\n').length - 1 };
    });
}

const all = filesUnder('src');
const sources = all.filter(({ path }) => !path.endsWith('.test.ts') && !path.endsWith('.d.ts'));
const tests = [...all.filter(({ path }) => path.endsWith('.test.ts')), ...filesUnder('test')];

/** Roles that a name may end in; anything else before `.ts` is part of the name and has no dot. */
const roles =
  'controller|service|entity|schema|guard|filter|decorator|module|worker|test|interceptor|pipe|conformance|d';
const fileName = new RegExp(`^[a-z0-9]+(-[a-z0-9]+)*(\\.(${roles}))?\\.ts$`);
const migrationName = /^\d{13}-[a-z0-9-]+\.ts$/;
const emptyWords = /(^|[-/.])(utils?|helpers?|common|managers?|impl|misc|shared-code)([-/.]|$)/;

describe('the sources', () => {
  test('have files of under 120 lines in the median', () => {
    const lines = sources.map((file) => file.lines).sort((a, b) => a - b);
    expect(lines[Math.floor(lines.length / 2)]).toBeLessThan(120);
  });

  test('have no file over 400 lines, and no test over 600', () => {
    expect(sources.filter((file) => file.lines > 400)).toEqual([]);
    expect(tests.filter((file) => file.lines > 600)).toEqual([]);
  });

  test('are named in kebab-case, with a role that is known', () => {
    const names = [...sources, ...tests].map((file) => file.path);
    expect(names.filter((path) => !fileName.test(basename(path)))).toEqual([]);
    expect(filesUnder('migrations').filter(({ path }) => !migrationName.test(basename(path)))).toEqual([]);
  });

  test('have no drawer for whatever has no name', () => {
    expect([...sources, ...tests].map((file) => file.path).filter((path) => emptyWords.test(path))).toEqual([]);
  });

  test('meet in index files nowhere but at the two libraries’ faces', () => {
    const barrels = sources.map((file) => file.path).filter((path) => basename(path) === 'index.ts');
    expect(barrels.sort()).toEqual([
      'src/engine/index.ts',
      'src/engine/kernels/assembly/index.ts',
      'src/recipe/index.ts',
    ]);
  });
});
