import { describe, expect, test } from '@jest/globals';
import { mergeReport, type TensorReport } from '../engine/index.js';
import { heatMap } from './heat-map.js';
import { reportSection } from './report-section.js';

function tensor(name: string, gram: (number | null)[]): TensorReport {
  return {
    ...{ tensor: name, elements: 400, nan: 0, infinite: 1 },
    deltas: {
      ...{ reference: 'base', models: [1, 2], seen: 100, gram },
      ...{ contested: 50, conflicting: 20, nonZero: [80, 50], kept: [40, 50] },
    },
  };
}

const names = ['base', 'team/`<script>`', 'team/b|c'];
const report = mergeReport('sampled', names, [
  tensor('model.layers.0.mlp.up_proj.weight', [9, 6, 16]),
  tensor('model.layers.1.self_attn.q_proj.weight', [null, 6, 16]),
  tensor('model.embed_tokens.weight', [0, 0, 0]),
]);

describe('the report on a card', () => {
  test('has a line a part, and says that it is an estimate', () => {
    const text = reportSection(report);
    expect(text).toContain('| mlp | 6, 8 | 0.5 | 40.0% | 50.0%, 100.0% | 0 | 1 |');
    expect(text).toContain('**estimates**');
    expect(reportSection({ ...report, estimate: false })).not.toContain('estimates');
  });

  test('cannot be broken by the names of models', () => {
    const text = reportSection(report);
    expect(text).toContain('`` team/`<script>` ``, `team/b¦c`');
  });

  test('of copies says that nothing was compared', () => {
    const copy = { tensor: 'lm_head.weight', elements: 8, nan: 0, infinite: 0 };
    expect(reportSection(mergeReport('full', names, [copy]))).toMatch(/^Nothing was compared/);
  });
});

describe('the heat map', () => {
  test('has a cell for each group and panel, grey where a NaN is in the way', () => {
    const picture = heatMap(report);
    expect(picture.match(/<rect x=/g)).toHaveLength(3 * report.groups.length);
    expect(picture).toContain('fill="#eee"><title>layer 1, attention: nothing to compare</title>');
    expect(picture).toContain('<title>layer 0, mlp: 0.5</title>');
    expect(picture).not.toContain('script');
  });

  test('of a hundred layers stays as wide as a page', () => {
    const layers = Array.from({ length: 100 }, (_, i) => tensor(`model.layers.${i}.mlp.up_proj.weight`, [1, 0, 1]));
    const [, width = ''] = /width="(\d+)"/.exec(heatMap(mergeReport('full', names, layers))) ?? [];
    expect(Number(width)).toBeLessThan(800);
  });
});
