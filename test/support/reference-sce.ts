import { dot, emptyTensor, type ExactTensor } from './reference-methods.js';

const { abs, fround, max, trunc } = Math;

/** Select the elements of the largest variance, weigh the models by their energy, erase minority signs. */
export function sce(base: Float64Array, models: readonly Float64Array[], topk: number): ExactTensor {
  const result = emptyTensor(base.length);
  const deltas = models.map((model) => model.map((x, i) => x - (base[i] ?? 0)));
  if (topk < 1) select(deltas, topk, result.open);
  const energies = deltas.map((delta) => dot(delta, delta) / base.length);
  const total = energies.reduce((sum, energy) => sum + energy, 0);
  const shares = energies.map((energy) => (total < 1e-6 ? 1 / models.length : energy / total));
  base.forEach((b, i) => {
    const votes = deltas.map((delta) => delta[i] ?? 0);
    const vote = votes.reduce((sum, d) => sum + d, 0);
    const size = votes.reduce((sum, d) => sum + abs(d), 0);
    if (vote !== 0 && abs(vote) <= size * 2 ** -21) result.open[i] = 1;
    const kept = votes.flatMap((d, k) => (d !== 0 && d > 0 === vote >= 0 ? [k] : []));
    const divisor = kept.reduce((sum, k) => sum + (shares[k] ?? 0), 0);
    result.value[i] = b;
    result.magnitude[i] = abs(b);
    result.terms[i] = 1;
    for (const k of kept) {
      const coefficient = (shares[k] ?? 0) / divisor;
      result.value[i] = (result.value[i] ?? 0) + coefficient * (votes[k] ?? 0);
      result.magnitude[i] = (result.magnitude[i] ?? 0) + coefficient * (abs(models[k]?.[i] ?? 0) + abs(b));
      result.terms[i] = (result.terms[i] ?? 0) + 2;
    }
  });
  return result;
}

/** Clears what is not among the int(topk nz) largest variances; the lower index first among those that f32 calls equal. */
function select(deltas: readonly Float64Array[], topk: number, open: Uint8Array): void {
  const variances = Array.from(open, (_open, i) => {
    const all = deltas.map((delta) => delta[i] ?? 0);
    const mean = all.reduce((sum, d) => sum + d, 0) / all.length;
    return all.every((d) => d === all[0]) ? 0 : fround(all.reduce((sum, d) => sum + (d - mean) ** 2, 0) / all.length);
  });
  const ranked = [...variances.keys()].sort((i, j) => (variances[j] ?? 0) - (variances[i] ?? 0) || i - j);
  const kept = trunc(variances.filter((variance) => variance !== 0).length * topk);
  const threshold = variances[ranked[max(0, kept - 1)] ?? 0] ?? 0;
  ranked.forEach((i, rank) => {
    if (kept > 0 && abs((variances[i] ?? 0) - threshold) <= threshold * 2 ** -20) open[i] = 1;
    if (rank >= kept) for (const delta of deltas) delta[i] = 0;
  });
}
