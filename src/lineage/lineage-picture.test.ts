import { describe, expect, test } from '@jest/globals';
import { layOut } from './lineage-layout.js';
import { mermaidPicture, svgPicture } from './lineage-picture.js';

const edge = (parent: string, child: string, role: 'base' | 'model' = 'model') => ({ parent, child, role });

describe('layout of a lineage', () => {
  test('parents stand above their children, by the longest way', () => {
    const places = layOut(['c', 'a', 'b'], [edge('a', 'b'), edge('b', 'c'), edge('a', 'c')]);
    expect(['a', 'b', 'c'].map((id) => places.get(id)?.layer)).toEqual([0, 1, 2]);
  });

  test('a row is ordered by what it is connected with', () => {
    const places = layOut(['p', 'q', 'of-q', 'of-p'], [edge('p', 'of-p'), edge('q', 'of-q')]);
    expect(places.get('of-p')?.column).toBeLessThan(places.get('of-q')?.column ?? -1);
  });

  test('a cycle, a loop and an unknown name end as well', () => {
    const places = layOut(['a', 'b'], [edge('a', 'b'), edge('b', 'a'), edge('a', 'a'), edge('x', 'a')]);
    expect(places.size).toBe(2);
  });
});

describe('pictures of a lineage', () => {
  const hostile = '"]; click v0 "javascript:alert(1)" <script>alert(1)</script>\n%%{init}%%';

  test('mermaid: names are quoted, roles are written, the subject is marked', () => {
    const text = mermaidPicture(
      [
        { id: 'a', label: 'team/base@1' },
        { id: 'b', label: 'team/merged@1', note: 'slerp', highlighted: true },
      ],
      [edge('a', 'b', 'base')],
    );
    expect(text).toBe(
      'flowchart TB\n  v0["team/base@1"]\n  v1["team/merged@1<br/>slerp"]\n  v0 -->|base| v1\n  style v1 stroke-width:3px\n',
    );
  });

  test('mermaid: a hostile name stays one label on one line', () => {
    const lines = mermaidPicture([{ id: 'a', label: hostile }], []).split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[1]).toMatch(/^ {2}v0\["[^"<>%{}()]*"\]$/);
  });

  test('svg: a hostile name is text, and the document has neither script nor link', () => {
    const svg = svgPicture([{ id: 'a', label: hostile, note: hostile }], []);
    expect(svg).not.toMatch(/<script|<a\s|href/);
    expect(svg).toContain('&#60;script&#62;');
  });

  test('svg: every node and every edge is drawn inside the canvas', () => {
    const nodes = ['a', 'b', 'c', 'd'].map((id) => ({ id, label: `team/${id}@1` }));
    const svg = svgPicture(nodes, [edge('a', 'c', 'base'), edge('b', 'c'), edge('c', 'd')]);
    expect(svg.match(/<rect/g)).toHaveLength(4);
    expect(svg.match(/marker-end/g)).toHaveLength(3);
    const [width, height] = (/viewBox="0 0 (\d+) (\d+)"/.exec(svg) ?? []).slice(1).map(Number);
    for (const [, x, y] of svg.matchAll(/<rect x="([\d.]+)" y="([\d.]+)"/g)) {
      expect(Number(x) + 190).toBeLessThanOrEqual(width ?? 0);
      expect(Number(y) + 46).toBeLessThanOrEqual(height ?? 0);
    }
  });
});
