import type { MergeReport, ReportNumbers } from '../engine/index.js';
import { markdownCode, markdownTable } from './markdown.js';

/** Name of the heat map beside the card. */
export const REPORT_PICTURE = 'merge_report.svg';

/** More values than this in a cell become a range. */
const listedValues = 3;

/** The report on a card: what the numbers mean, one line a role, and the picture of the layers. */
export function reportSection(report: MergeReport): string {
  const { models, reference } = report;
  return [
    explanation(report),
    reportTable(report),
    reference === null
      ? ''
      : `Norms and kept shares are those of ${models.map(markdownCode).join(', ')}, in this order; more than ` +
        `${listedValues} values are given as a range.`,
    `![Heat map by layer and part](${REPORT_PICTURE})`,
    'The numbers of every layer and tensor are in [merge_report.json](merge_report.json).',
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** One line a role, as Markdown. @param hasResult false: models were compared only, and there is no result to tell of */
export function reportTable({ roles, total }: MergeReport, hasResult = true): string {
  const rows = [...roles.map(({ role, ...numbers }) => line(role, numbers)), line('**all**', total)];
  const columns = ['Part', 'Norms', 'Cosines', 'Sign conflicts', 'Kept', 'NaN', 'Infinite'];
  const shown = hasResult ? columns.length : columns.indexOf('Kept');
  return markdownTable(
    columns.slice(0, shown),
    rows.map((row) => row.slice(0, shown)),
  );
}

function explanation({ reference, estimate, models }: MergeReport): string {
  if (reference === null) return 'Nothing was compared: every tensor of the result has one source.';
  const against = reference === 'base' ? 'the base' : 'the plain mean of the models';
  const looked = estimate
    ? 'These are **estimates** from every 64th block of 16,384 elements; NaN and infinity are counted in all.'
    : 'Every element was looked at.';
  const kept =
    reference === 'base' ? ' Kept: of what a model changed, the share in which the result differs from the base.' : '';
  const opposite =
    reference === 'mean' && models.length === 2
      ? ' Two models are each the opposite of the other, seen from there.'
      : '';
  return (
    `Task vectors are the models' differences from ${against}.${opposite} Sign conflicts: of the elements that at least two task ` +
    `vectors change, the share that they pull both ways.${kept} ${looked}`
  );
}

function line(name: string, numbers: ReportNumbers): string[] {
  const { norms, cosines, signConflicts, kept, nan, infinite } = numbers;
  return [name, values(norms), values(cosines), percent(signConflicts), values(kept, percent), `${nan}`, `${infinite}`];
}

function values(all: readonly (number | null)[], write = short): string {
  const known = all.filter((value) => value !== null);
  if (known.length === 0) return '';
  if (all.length <= listedValues) return all.map(write).join(', ');
  return `${write(Math.min(...known))} to ${write(Math.max(...known))}`;
}

function percent(share: number | null): string {
  return share === null ? '' : `${(100 * share).toFixed(1)}%`;
}

function short(value: number | null): string {
  return value === null ? '' : String(Number(value.toPrecision(3)));
}
