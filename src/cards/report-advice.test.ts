import { expect, test } from '@jest/globals';
import { mergeReport, type TensorReport } from '../engine/index.js';
import { advice } from './report-advice.js';

function tensor(cosine: number, reference: 'base' | 'mean' = 'base', models = [1, 2]): TensorReport {
  const gram = models.length === 1 ? [1] : [1, cosine, 1];
  const deltas = { reference, models, seen: 10, gram, contested: 0, conflicting: 0 };
  return { tensor: 'a.weight', elements: 10, nan: 0, infinite: 0, deltas };
}
const adviceOn = (report: TensorReport): string => advice(mergeReport('full', ['base', 'a', 'b'], [report]));

test.each([
  [0.95, /parallel: linear will do as well as TIES/],
  [0.5, /agree in part/],
  [0.01, /orthogonal/],
  [-0.6, /against each other/],
])('task vectors at a cosine of %d', (cosine, sentence) => {
  expect(adviceOn(tensor(cosine))).toMatch(sentence);
});

test('there is none without a base, or without a second model', () => {
  expect(adviceOn(tensor(-1, 'mean'))).toMatch(/name the common base/);
  expect(adviceOn(tensor(1, 'base', [1]))).toMatch(/one task vector only/);
});
