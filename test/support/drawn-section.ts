import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect } from '@jest/globals';
import { findEnvironment } from './environment.js';

const root = resolve(import.meta.dirname, '../..');

/**
 * Holds a part of a document to what the code says. It lies between the comments `NAME:begin` and `NAME:end`, with the
 * blank lines that prettier wants there. UPDATE_DOCS=1 draws it again instead.
 * @param document path from the root of the repository
 */
export function expectDrawn(document: string, name: string, drawn: string): void {
  const path = resolve(root, document);
  const page = readFileSync(path, 'utf8');
  const section = new RegExp(`(<!-- ${name}:begin[^>]*-->\\n)([\\s\\S]*?)(<!-- ${name}:end -->)`);
  expect(page).toMatch(section);
  const body = `\n${drawn}\n\n`;
  if (findEnvironment('updateDocuments') === undefined) expect(section.exec(page)?.[2]).toBe(body);
  // As a function, because a `$` in the text would mean something.
  else
    writeFileSync(
      path,
      page.replace(section, (_all, begin: string, _old, end: string) => begin + body + end),
    );
}

/** A table as prettier writes it: every column as wide as its widest cell. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => [...(row[column] ?? '')].length)));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, column) => (row[column] ?? '').padEnd(width)).join(' | ')} |`;
  const [first = [], ...rest] = cells;
  return [line(first), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rest.map(line)].join('\n');
}
