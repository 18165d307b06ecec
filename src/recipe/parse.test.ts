import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RecipeError } from './errors.js';
import { parseYaml } from './parse.js';

const read = (text: string): unknown => parseYaml(text)[0]?.value;

function refusal(text: string): { code: string; at: string; pointer: string } {
  try {
    parseYaml(text);
  } catch (error) {
    if (!(error instanceof RecipeError)) throw error;
    const [issue] = error.issues;
    return { code: error.code, at: `${issue?.line}:${issue?.column}`, pointer: issue?.pointer ?? '' };
  }
  throw new Error('was not refused');
}

describe('parseYaml', () => {
  it.each([
    ['1e-5', '1e-5'],
    ['.15', 0.15],
    ['1_000', 1000],
    ['010', 8],
    ['yes', true],
    ['Off', false],
    ['y', 'y'],
    ['~', null],
    ['2024-01-01', '2024-01-01'],
    ['C:\\Users\\x', 'C:\\Users\\x'],
  ])('reads %s as PyYAML does', (written, value) => {
    expect(read(`a: ${written}`)).toEqual({ a: value });
  });

  it('reads CRLF, a byte order mark, an indented document and a list closed left of its key', () => {
    expect(read('\ufeffa: 1\r\nb: 2\r\n')).toEqual({ a: 1, b: 2 });
    expect(read('  a: 1\n  b: 2\n')).toEqual({ a: 1, b: 2 });
    expect(read('a:\n  b: [\n1,\n  2\n  ]\nc: 3\n')).toEqual({ a: { b: [1, 2] }, c: 3 });
  });

  it('knows where things are', () => {
    const document = parseYaml('# note\na:\r\n  - b: 1\n    "c": x\n  - [\n0, yy]\n')[0];
    const at = (path: (string | number)[], what: 'key' | 'value' = 'value'): unknown =>
      document?.findPosition(path, what);
    expect(at([])).toEqual({ line: 2, column: 1 });
    expect(at(['a', 0])).toEqual({ line: 3, column: 5 });
    expect(at(['a', 0, 'c'], 'key')).toEqual({ line: 4, column: 5 });
    expect(at(['a', 0, 'c'])).toEqual({ line: 4, column: 10 });
    expect(at(['a', 1, 1])).toEqual({ line: 6, column: 4 });
    expect(at(['a', 0, 'missing', 'deep'])).toEqual({ line: 3, column: 5 });
  });

  it('reads several documents', () => {
    expect(parseYaml('a: 1\n---\nb: 2\n...\n').map(({ value }) => value)).toEqual([{ a: 1 }, { b: 2 }]);
  });

  it.each([
    ['a: 1\nb: 2\n"a": 3', 'duplicate_key', '3:2', '/a'],
    ['x: {a: 1, a: 2}', 'duplicate_key', '1:11', '/x/a'],
    ['a: 1\n b: 2', 'yaml_syntax', '2:3', ''],
    ['\ta: 1\n\tb: [', 'yaml_syntax', '1:3', ''],
    ['a: !!python/object/apply:os.system [x]', 'yaml_tag', '1:4', ''],
    ['a: !!binary aGk=', 'yaml_tag', '1:4', ''],
    ['a: *b', 'yaml_alias', '1:5', ''],
    ['a: &a [*a]', 'yaml_alias', '1:9', ''],
    ['? [a]\n: b', 'yaml_key', '1:1', ''],
    ['<<: 5', 'yaml_merge', '1:1', '/<<'],
    ['a: \0', 'invalid_text', '1:4', ''],
    ['a:\n  \ud800', 'invalid_text', '2:3', ''],
    [`a: ${'x'.repeat(65_536)}`, 'recipe_too_large', '1:1', ''],
    [`a: ${'é'.repeat(33_000)}`, 'recipe_too_large', '1:1', ''],
  ])('refuses %j', (text, code, at, pointer) => {
    expect(refusal(text)).toEqual({ code, at, pointer });
  });

  const bytes = 65_536;
  const nines = ['b', 'c', 'd', 'e', 'f', 'g'].map(
    (name, index) => `${name}: &${name} [${`*${'abcdef'[index]}, `.repeat(9)}]`,
  );
  const hostile: Record<string, string> = {
    brackets: '['.repeat(bytes),
    braces: '{'.repeat(bytes),
    dashes: '- '.repeat(bytes / 2),
    questions: '? '.repeat(bytes / 2),
    'nested flow': 'a: {'.repeat(bytes / 4),
    'nine to the sixth': ['a: &a [x, x, x, x, x, x, x, x, x]', ...nines].join('\n'),
    documents: '---\n'.repeat(bytes / 4),
    'ended documents': 'a\n...\n'.repeat(bytes / 6),
    'a long list': `[${'1,'.repeat(bytes / 2 - 2)}]`,
    'many keys': Array.from({ length: 5000 }, (_, index) => `k${index}: 1`).join('\n'),
    'merge keys': `a: &a {x: 1}\nb:\n  <<: [${'*a,'.repeat(20_000)}]`,
    anchors: '&a '.repeat(bytes / 3),
    quotes: "'".repeat(bytes - 1),
    'lines to repair': `a:\n  b: [\n${'1,\n'.repeat(900)}]`,
    directives: '%YAML 1.1\n'.repeat(6000),
  };

  it.each(Object.keys(hostile))('survives %s', (name) => {
    const before = process.cpuUsage();
    expect(() => parseYaml(hostile[name] ?? '')).toThrow(RecipeError);
    const { user, system } = process.cpuUsage(before);
    // Fifty milliseconds in the product; ten times that where the test run has just loaded its code.
    expect((user + system) / 1000).toBeLessThan(500);
  });

  it('throws nothing but RecipeError', () => {
    const piece = fc.constantFrom(
      ...': , - [ ] { } # & * ! | > \' " % @ ` ? << ~ \n \n  \t a b 1 . --- ...'.split(' '),
      ' ',
      '\n',
      '\\',
      '\ud800',
      '\0',
      '\u2028',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join('')),
          fc.string({ unit: 'binary' }),
        ),
        (text) => {
          try {
            parseYaml(text);
          } catch (error) {
            expect(error).toBeInstanceOf(RecipeError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
