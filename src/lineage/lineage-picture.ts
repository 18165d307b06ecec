import { layOut } from './lineage-layout.js';

/** What a picture needs of a lineage; ids are opaque and never drawn. */
export interface PictureNode {
  id: string;
  label: string;
  /** Small print under the label. */
  note?: string;
  highlighted?: boolean;
}

export interface PictureEdge {
  parent: string;
  child: string;
  role: 'base' | 'model';
}

/**
 * A lineage as a mermaid flowchart. Names come from users: they are quoted, and whatever mermaid or Markdown could take
 * for syntax is written as an entity.
 */
export function mermaidPicture(nodes: readonly PictureNode[], edges: readonly PictureEdge[]): string {
  const names = new Map(nodes.map(({ id }, index) => [id, `v${index}`]));
  const lines = ['flowchart TB'];
  for (const { id, label, note } of nodes) {
    const text = note === undefined ? mermaidText(label) : `${mermaidText(label)}<br/>${mermaidText(note)}`;
    lines.push(`  ${names.get(id) ?? ''}["${text}"]`);
  }
  for (const { parent, child, role } of edges) {
    const [from, to] = [names.get(parent), names.get(child)];
    if (from === undefined || to === undefined) continue;
    lines.push(role === 'base' ? `  ${from} -->|base| ${to}` : `  ${from} --> ${to}`);
  }
  const marked = nodes.filter(({ highlighted }) => highlighted).map(({ id }) => names.get(id) ?? '');
  if (marked.length > 0) lines.push(`  style ${marked.join(',')} stroke-width:3px`);
  return `${lines.join('\n')}\n`;
}

/** Letters, digits and a few harmless signs as they are, everything else by number: mermaid writes `#35;` for `#`. */
function mermaidText(text: string): string {
  return [...text].map((sign) => (/[\p{L}\p{N} /@._:-]/u.test(sign) ? sign : `#${sign.codePointAt(0)};`)).join('');
}

const boxWidth = 190;
const boxHeight = 46;
const gapX = 26;
const gapY = 54;
const margin = 16;
/** What fits into a box at 13 px; the full name is in the tooltip. */
const labelLetters = 26;

/** The same lineage as a self-contained SVG: no script, no links, no fonts from elsewhere. */
export function svgPicture(nodes: readonly PictureNode[], edges: readonly PictureEdge[]): string {
  const places = layOut(
    nodes.map(({ id }) => id),
    edges,
  );
  const corner = (id: string): { x: number; y: number } => {
    const { column, layer } = places.get(id) ?? { column: 0, layer: 0 };
    return { x: margin + column * (boxWidth + gapX), y: margin + layer * (boxHeight + gapY) };
  };
  const corners = nodes.map(({ id }) => corner(id));
  const width = Math.max(0, ...corners.map(({ x }) => x)) + boxWidth + margin;
  const height = Math.max(0, ...corners.map(({ y }) => y)) + boxHeight + margin;
  const drawable = edges.filter(({ parent, child }) => places.has(parent) && places.has(child));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    '<style>rect{fill:#fff;stroke:#57606a}.here{stroke-width:3}text{font:13px system-ui,sans-serif;text-anchor:middle;fill:#1f2328}',
    '.note{font-size:11px;fill:#57606a}path{fill:none;stroke:#8c959f}.base{stroke:#0969da;stroke-width:2}</style>',
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">',
    '<path d="M0 0 8 4 0 8z" style="fill:#8c959f;stroke:none"/></marker></defs>',
    ...drawable.map(({ parent, child, role }) => connection(corner(parent), corner(child), role)),
    ...nodes.map((node, index) => box(node, corners[index] ?? { x: 0, y: 0 })),
    '</svg>\n',
  ].join('\n');
}

function connection(from: { x: number; y: number }, to: { x: number; y: number }, role: 'base' | 'model'): string {
  const [startX, startY, endX, endY] = [from.x + boxWidth / 2, from.y + boxHeight, to.x + boxWidth / 2, to.y];
  const bend = (startY + endY) / 2;
  const curve = `M${startX} ${startY}C${startX} ${bend} ${endX} ${bend} ${endX} ${endY}`;
  return `<path class="${role}" d="${curve}" marker-end="url(#tip)"/>`;
}

function box({ label, note, highlighted }: PictureNode, { x, y }: { x: number; y: number }): string {
  const middle = x + boxWidth / 2;
  const short = label.length > labelLetters ? `${[...label].slice(0, labelLetters - 1).join('')}…` : label;
  const title = note === undefined ? label : `${label} (${note})`;
  const lines = [`<g><title>${xmlText(title)}</title>`];
  lines.push(
    `<rect${highlighted ? ' class="here"' : ''} x="${x}" y="${y}" width="${boxWidth}" height="${boxHeight}" rx="6"/>`,
  );
  lines.push(`<text x="${middle}" y="${y + (note === undefined ? 28 : 20)}">${xmlText(short)}</text>`);
  if (note !== undefined) lines.push(`<text class="note" x="${middle}" y="${y + 37}">${xmlText(note)}</text>`);
  return `${lines.join('')}</g>`;
}

/** Control signs have no place in XML, escaped or not. */
function xmlText(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, '\ufffd')
    .replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
