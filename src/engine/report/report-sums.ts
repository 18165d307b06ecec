import type { TensorReport } from './tensor-report.js';

/** Norms, angles and shares of one tensor or of many. Null: a NaN in the way, or nothing to take a share of. */
export interface ReportNumbers {
  elements: number;
  nan: number;
  infinite: number;
  /** L2 norm of each model's task vectors. */
  norms: (number | null)[];
  /** Cosine of each pair of task vectors: of the first model with the second, the third, ..., of the second with the third. */
  cosines: (number | null)[];
  /** Of the elements that at least two task vectors change, the share that they pull both ways. */
  signConflicts: number | null;
  /** Of each task vector's non-zero elements, the share in which the result differs from the base. */
  kept: (number | null)[];
}

/** Adds tensors up. A sample stands for its whole tensor, so sums are scaled to it before they meet those of others. */
export class ReportSums {
  private readonly total = { elements: 0, nan: 0, infinite: 0, contested: 0, conflicting: 0 };
  private readonly gram: number[][];
  private readonly nonZero: number[];
  private readonly kept: number[];
  private readonly isThere: boolean[];

  /** @param models indices into the plan's inputs: the order of all numbers */
  constructor(private readonly models: readonly number[]) {
    this.gram = models.map(() => models.map(() => 0));
    this.nonZero = models.map(() => 0);
    this.kept = models.map(() => 0);
    this.isThere = models.map(() => false);
  }

  add({ elements, nan, infinite, deltas }: TensorReport): this {
    const { total } = this;
    total.elements += elements;
    total.nan += nan;
    total.infinite += infinite;
    if (deltas === undefined || deltas.seen === 0) return this;
    const scale = elements / deltas.seen;
    const places = deltas.models.map((model) => this.models.indexOf(model));
    total.contested += scale * deltas.contested;
    total.conflicting += scale * deltas.conflicting;
    let entry = 0;
    places.forEach((row, i) => {
      this.isThere[row] = true;
      this.nonZero[row] = (this.nonZero[row] ?? 0) + scale * (deltas.nonZero?.[i] ?? 0);
      this.kept[row] = (this.kept[row] ?? 0) + scale * (deltas.kept?.[i] ?? 0);
      for (const column of places.slice(i)) this.addProduct(row, column, scale * (deltas.gram[entry++] ?? Number.NaN));
    });
    return this;
  }

  numbers(): ReportNumbers {
    const { elements, nan, infinite, contested, conflicting } = this.total;
    const norms = this.models.map((_model, i) => Math.sqrt(this.gram[i]?.[i] ?? 0));
    const cosines: (number | null)[] = [];
    norms.forEach((norm, i) => {
      for (let j = i + 1; j < norms.length; j++) {
        cosines.push(clamped((this.gram[i]?.[j] ?? 0) / (norm * (norms[j] ?? 0))));
      }
    });
    return {
      ...{ elements, nan, infinite },
      norms: norms.map((norm, i) => (this.isThere[i] === true ? rounded(norm) : null)),
      cosines,
      signConflicts: rounded(conflicting / contested),
      kept: this.models.map((_model, i) => rounded((this.kept[i] ?? 0) / (this.nonZero[i] ?? 0))),
    };
  }

  private addProduct(row: number, column: number, product: number): void {
    const [i, j] = [Math.min(row, column), Math.max(row, column)];
    const sums = this.gram[i];
    if (sums !== undefined) sums[j] = (sums[j] ?? 0) + product;
  }
}

/** Six digits: a sample knows no more, and a file of 20,000 tensors stays small. */
function rounded(value: number): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(6)) : null;
}

function clamped(cosine: number): number | null {
  return rounded(Math.min(1, Math.max(-1, cosine)));
}
