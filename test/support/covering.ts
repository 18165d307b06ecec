/** One value of each factor. */
export type Row<Factors extends Record<string, readonly unknown[]>> = {
  [Name in keyof Factors]: Factors[Name][number];
};

/**
 * Few rows in which every pair of values of two factors comes up together: what depends on two of them at once is found,
 * at a fraction of the cost of all combinations. Greedy: each row takes, factor by factor, the value that is in most
 * pairs which no row has yet.
 */
export function coveringRows<Factors extends Record<string, readonly unknown[]>>(factors: Factors): Row<Factors>[] {
  const names = Object.keys(factors);
  const open = new Set(pairsOf(factors).map(keyOf));
  const rows: Row<Factors>[] = [];
  while (open.size > 0) {
    const [first = ''] = open;
    const row = new Map(JSON.parse(first) as [string, number][]);
    for (const name of names) {
      if (row.has(name)) continue;
      const gains = (factors[name] ?? []).map((_value, index) => {
        return [...row].filter((other) => open.has(keyOf([[name, index], other]))).length;
      });
      // Of equally good values another one in every row.
      const order = gains.map((_gain, index) => (index + rows.length) % gains.length);
      row.set(
        name,
        order.reduce((best, index) => ((gains[index] ?? 0) > (gains[best] ?? 0) ? index : best)),
      );
    }
    const entries = [...row];
    for (const one of entries) for (const other of entries) open.delete(keyOf([one, other]));
    rows.push(Object.fromEntries(entries.map(([name, index]) => [name, factors[name]?.[index]])) as Row<Factors>);
  }
  return rows;
}

type Pair = [[string, number], [string, number]];

function keyOf(pair: Pair): string {
  return JSON.stringify(pair.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function pairsOf(factors: Record<string, readonly unknown[]>): Pair[] {
  const values = Object.entries(factors).map(([name, list]) => list.map((_value, i): [string, number] => [name, i]));
  return values.flatMap((ones, k) =>
    values.slice(k + 1).flatMap((others) => ones.flatMap((one) => others.map((other): Pair => [one, other]))),
  );
}
