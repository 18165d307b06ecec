import { type MergeReport, type ReportGroup, type ReportRole, reportRoles } from '../engine/index.js';

/** One picture inside the picture: a number of every group, with the colour of its largest value. */
interface Panel {
  title: string;
  valueOf(group: ReportGroup): number | null;
  /** Value of the full colour; what lies at 0 is white. */
  most: number;
}

const rowHeight = 18;
const labelWidth = 84;
const titleHeight = 26;
const panelGap = 14;
/** Cells share this width, within reason. */
const plotWidth = 640;

/**
 * The merge report as a picture: roles as rows, what lies outside the layers and then the layers as columns, one panel for
 * how far the weights were moved, one for sign conflicts, one for how far task vectors point apart.
 */
export function heatMap(report: MergeReport): string {
  const columns = [...new Set(report.groups.map(({ layer }) => layer))];
  const rows = reportRoles.filter((role) => report.groups.some((group) => group.role === role));
  const cell = Math.min(28, Math.max(4, Math.floor(plotWidth / Math.max(1, columns.length))));
  const panels = panelsOf(report);
  const height = titleHeight + rows.length * rowHeight + panelGap;
  const width = labelWidth + Math.max(columns.length * cell, 420) + panelGap;
  const drawn = panels.map((panel, i) => drawPanel(panel, report.groups, { rows, columns, cell, top: i * height }));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${panels.length * height + rowHeight}" ` +
      'font-family="sans-serif" font-size="11">',
    '<rect width="100%" height="100%" fill="#fff"/>',
    ...drawn.flat(),
    `<text x="4" y="${panels.length * height + 6}">From the left: ${columnNames(columns)}.</text>`,
    '</svg>\n',
  ].join('\n');
}

function columnNames(columns: readonly (number | null)[]): string {
  const layers = columns.filter((layer) => layer !== null);
  const outside = columns.includes(null) ? 'outside the layers' : '';
  const inside = layers.length === 0 ? '' : `layer ${layers[0] ?? 0} to ${layers.at(-1) ?? 0}`;
  return [outside, inside].filter((part) => part !== '').join(', ');
}

function panelsOf({ groups, pairs, reference, estimate }: MergeReport): Panel[] {
  const about = estimate ? ', estimated' : '';
  const change: Panel = {
    title: `Root mean square of the task vectors, against the ${reference ?? 'base'}${about}`,
    valueOf: rootMeanSquare,
    most: Math.max(...groups.map((group) => rootMeanSquare(group) ?? 0)) || 1,
  };
  if (pairs.length === 0) return [change];
  return [
    change,
    { title: `Share of sign conflicts${about}`, valueOf: ({ signConflicts }) => signConflicts, most: 1 },
    { title: `1 - smallest cosine between task vectors${about}`, valueOf: largestAngle, most: 2 },
  ];
}

/** Of all task vectors together, for one element: norms alone would only show which matrices are large. */
function rootMeanSquare({ norms, elements }: ReportGroup): number | null {
  const known = norms.filter((norm) => norm !== null);
  if (known.length === 0 || elements === 0) return null;
  return Math.sqrt(known.reduce((sum, norm) => sum + norm * norm, 0) / known.length / elements);
}

function largestAngle({ cosines }: ReportGroup): number | null {
  const known = cosines.filter((cosine) => cosine !== null);
  return known.length === 0 ? null : 1 - Math.min(...known);
}

interface Frame {
  rows: readonly ReportRole[];
  columns: readonly (number | null)[];
  cell: number;
  top: number;
}

function drawPanel(panel: Panel, groups: readonly ReportGroup[], { rows, columns, cell, top }: Frame): string[] {
  const y = (role: ReportRole): number => top + titleHeight + rows.indexOf(role) * rowHeight;
  const scale = `white 0, dark ${short(panel.most)}`;
  return [
    `<text x="4" y="${top + 16}" font-weight="bold">${panel.title} (${scale})</text>`,
    ...rows.map((role) => `<text x="4" y="${y(role) + 13}">${role}</text>`),
    ...groups.map((group) => {
      const value = panel.valueOf(group);
      const x = labelWidth + columns.indexOf(group.layer) * cell;
      const place = group.layer === null ? 'outside the layers' : `layer ${group.layer}`;
      const tip = `${place}, ${group.role}: ${value === null ? 'nothing to compare' : short(value)}`;
      const size = `width="${cell - 1}" height="${rowHeight - 1}"`;
      const fill = value === null ? '#eee' : colour(value / panel.most);
      return `<rect x="${x}" y="${y(group.role)}" ${size} fill="${fill}"><title>${tip}</title></rect>`;
    }),
  ];
}

/** White to dark blue, in equal steps of each channel. */
function colour(share: number): string {
  const part = Math.min(1, Math.max(0, share));
  const channel = (dark: number): string => Math.round(255 - part * (255 - dark)).toString();
  return `rgb(${channel(8)},${channel(48)},${channel(107)})`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
