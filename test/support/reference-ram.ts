import { emptyTensor, type ExactTensor } from './reference-methods.js';

const { abs, max, min } = Math;

export interface Changes {
  base: Float64Array;
  models: readonly Float64Array[];
  epsilon: number;
  /** RAM+ alone. */
  enlarged?: { r: number; alpha: number };
}

/** Element by element: what one model alone changed is added in full (RAM+: enlarged), what several changed as their mean. */
export function ram({ base, models, epsilon, enlarged }: Changes): ExactTensor {
  const result = emptyTensor(base.length);
  const delta = (k: number, i: number): number => (models[k]?.[i] ?? 0) - (base[i] ?? 0);
  const active = Array.from(base, (_b, i) => [...models.keys()].filter((k) => abs(delta(k, i)) > epsilon));
  const factors = models.map((_model, k) => {
    if (enlarged === undefined) return 1;
    const mine = active.filter((list) => list.includes(k));
    const unique = mine.filter((list) => list.length === 1).length;
    const ratio = (mine.length - unique) / max(unique, epsilon);
    return 1 + enlarged.r * max(0, min(enlarged.alpha, Number.isNaN(ratio) ? 0 : ratio));
  });
  base.forEach((b, i) => {
    result.value[i] = b;
    result.magnitude[i] = abs(b);
    result.terms[i] = 1;
    // Differences that f32 cannot tell from epsilon count or do not, as the implementation rounds.
    if (models.some((_model, k) => abs(abs(delta(k, i)) - epsilon) <= epsilon * 2 ** -22)) result.open[i] = 1;
    const list = active[i] ?? [];
    for (const k of list) {
      const coefficient = list.length === 1 ? (factors[k] ?? 1) : 1 / list.length;
      result.value[i] = (result.value[i] ?? 0) + coefficient * delta(k, i);
      result.magnitude[i] = (result.magnitude[i] ?? 0) + coefficient * (abs(models[k]?.[i] ?? 0) + abs(b));
      result.terms[i] = (result.terms[i] ?? 0) + 2;
    }
  });
  return result;
}
