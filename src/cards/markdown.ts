/**
 * Text of unknown origin as Markdown that shows exactly this text: no emphasis, link, image, HTML, table cell or heading
 * can come out of it, and line breaks become spaces.
 */
export function markdownText(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/[\\`*_{}[\]<>()#!|~&$:]/g, (sign) => (/[<>&|:$]/.test(sign) ? `&#${sign.charCodeAt(0)};` : `\\${sign}`));
}

/** The same in a monospaced span, fenced by more backticks than it contains; a table cell may hold it. */
export function markdownCode(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').replaceAll('|', '¦');
  const fence = '`'.repeat(longestRun(line) + 1);
  const pad = line.startsWith('`') || line.endsWith('`') || line === '' ? ' ' : '';
  return `${fence}${pad}${line}${pad}${fence}`;
}

/** A fenced block whose fence is longer than any run of backticks in the content, so that nothing inside can end it. */
export function markdownBlock(language: string, content: string): string {
  const fence = '`'.repeat(Math.max(3, longestRun(content) + 1));
  return `${fence}${language}\n${content.replace(/\n*$/, '\n')}${fence}`;
}

/** Cells are Markdown already. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
}
