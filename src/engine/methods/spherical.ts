import type { Kernels } from '../kernels/kernels.js';

/** Coefficients of the point at `t` on the great circle from one direction to another (Shoemake 1985). */
export function arcCoefficients(t: number, cosine: number, kernels: Pick<Kernels, 'acos' | 'sin'>): number[] {
  const angle = kernels.acos(cosine);
  const sine = kernels.sin(angle);
  return [kernels.sin((1 - t) * angle) / sine, kernels.sin(t * angle) / sine];
}
