import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { coveringRows } from '../support/covering.js';

it('covers every pair of values, in fewer rows than there are combinations', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 2, maxLength: 5 });
  fc.assert(
    fc.property(sizes, (counts) => {
      const factors = Object.fromEntries(
        counts.map((count, i) => [`f${i}`, Array.from({ length: count }, (_, v) => v)]),
      );
      const rows = coveringRows(factors);
      const [largest = 1, second = 1] = counts.toSorted((a, b) => b - a);
      expect(rows.length).toBeLessThanOrEqual(2 * largest * second);
      counts.forEach((count, i) => {
        counts.slice(0, i).forEach((other, j) => {
          const pairs = new Set(rows.map((row) => `${String(row[`f${i}`])} ${String(row[`f${j}`])}`));
          expect(pairs.size).toBe(count * other);
        });
      });
    }),
  );
});
