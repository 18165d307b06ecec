import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Settings } from '../../src/config.js';
import { catalogue } from '../../src/errors.js';
import { methods, type MethodDefinition } from '../../src/recipe/index.js';
import { expectDrawn, markdownTable } from '../support/drawn-section.js';

const root = resolve(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const documents = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...(readdirSync(join(root, 'docs'), { recursive: true }) as string[])
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

/** As the headings of GitHub: lower case, without punctuation, spaces as dashes. */
function anchorsOf(page: string): string[] {
  return [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Where a link of a document leads to, unless it leaves the repository: nothing when there is something. */
function findDeadLink(document: string, link: string): string | undefined {
  if (/^[a-z]+:/.test(link)) return undefined;
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? document : join(dirname(document), path);
  const leads = existsSync(join(root, target)) && (anchor === undefined || anchorsOf(read(target)).includes(anchor));
  return leads ? undefined : `${document}: ${link}`;
}

describe('the documents', () => {
  test('have no dead link among themselves', () => {
    const dead = documents.flatMap((document) => {
      const links = [...read(document).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
      return links.map((link) => findDeadLink(document, link)).filter((found) => found !== undefined);
    });
    expect(documents.length).toBeGreaterThan(10);
    expect(dead).toEqual([]);
  });

  test('docs/operations.md has every setting', () => {
    const rows = Object.entries(Settings.shape).map(([name, schema]) => {
      const { data } = schema.safeParse(undefined);
      // None is given as a list: only keys are, and they have no default.
      const fallback = data === undefined || data === '' || typeof data === 'object' ? '' : `\`${data}\``;
      return [`\`${name}\``, fallback, schema.description ?? ''];
    });
    expectDrawn('docs/operations.md', 'settings', markdownTable(['variable', 'default', 'meaning'], rows));
  });

  test('docs/recipe.md has every method, and whether it is carried out', () => {
    const head = ['`merge_method`', 'carried out', 'base', 'models', 'parameters', 'what it does'];
    const rows = Object.values(methods).map((method) => [
      `\`${method.name}\``,
      method.executable ? 'yes' : '',
      { required: 'required', optional: 'optional', ignored: 'one of them', forbidden: 'none' }[method.base],
      modelsOf(method),
      Object.entries(method.parameters)
        .map(([name, { required }]) => `\`${name}\`${required === true ? ' (needed)' : ''}`)
        .join(', '),
      method.paper === undefined ? method.doc : `${method.doc} [Paper](${method.paper.url})`,
    ]);
    expectDrawn('docs/recipe.md', 'methods', markdownTable(head, rows));
  });
});

function modelsOf({ minModels, maxModels }: MethodDefinition): string {
  if (maxModels === undefined) return `${minModels} or more`;
  return minModels === maxModels ? String(minModels) : `${minModels} to ${maxModels}`;
}

describe('docs/errors.md', () => {
  const rows = [...read('docs/errors.md').matchAll(/^\| `([a-z0-9_]+)`\s*\| ([^|]*?)\s*\|/gm)];
  const sections = read('docs/errors.md').split(/^## /m);
  const codesIn = (text: string | undefined): string[] =>
    [...(text ?? '').matchAll(/^\| `([a-z0-9_]+)`/gm)].map(([, code = '']) => code).sort();
  const sectionOf = (title: string): string | undefined => sections.find((section) => section.startsWith(title));

  /** Snake-case texts in the sources of a folder, at the places where codes stand. */
  function codesOf(folder: string, places: readonly RegExp[]): string[] {
    const sources = readdirSync(join(root, folder))
      // The demonstration is no command of `amalgam`: it explains itself.
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.startsWith('demo'))
      .map((name) => read(join(folder, name)));
    const found = sources.flatMap((source) =>
      places.flatMap((place) => [...source.matchAll(place)].map(([, code = '']) => code)),
    );
    return [...new Set(found)].sort();
  }

  test('has every code of the catalogue with its status, and no other', () => {
    const statuses = rows.filter(([, , status = '']) => /^\d{3}$/.test(status));
    const documented = Object.fromEntries(statuses.map(([, code = '', status]) => [code, Number(status)]));
    const expected = Object.fromEntries(Object.entries(catalogue).map(([code, { status }]) => [code, status]));
    expect(documented).toEqual(expected);
  });

  test('has every code of recipes, and no other', () => {
    const places = [
      /(?:\.(?:error|warn|suspect)|refusal)\(\s*'([a-z0-9_]+)'/g,
      /\bcode(?::| =) '([a-z]+_[a-z0-9_]+)'/g,
      // Of the reasons of the YAML parser: a pattern, then its code.
      /\/, '([a-z]+_[a-z0-9_]+)'/g,
      /\?\? '([a-z]+_[a-z0-9_]+)'/g,
      /[`'], '([a-z]+_[a-z0-9_]+)'\);/g,
    ];
    // What a RecipeError without any issue would be called; none is ever made.
    const codes = codesOf('src/recipe', places).filter((code) => code !== 'invalid_recipe');
    expect(codesIn(sectionOf('Recipes'))).toEqual(codes);
  });

  test('has every code of the command line, and no other', () => {
    const codes = codesOf('src/cli', [/new Failure\(\s*'([a-z0-9_]+)'/g, /super\('([a-z]+_[a-z0-9_]+)'/g]);
    expect(codesIn(sectionOf('The command line'))).toEqual(codes);
  });

  test('has what else a failed merge may say', () => {
    const [union = ''] = /StorageErrorCode =[^;]*;/.exec(read('src/storage/object-store.ts')) ?? [];
    const ofStorage = [...union.matchAll(/'([a-z0-9_]+)'/g)].map(([, code = '']) => code);
    const documented = rows.map(([, code]) => code);
    expect([...ofStorage, 'worker_lost'].filter((code) => !documented.includes(code))).toEqual([]);
  });
});
