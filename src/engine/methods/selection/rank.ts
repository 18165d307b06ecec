/** A threshold to find: the magnitude of the `keep`-th largest element of a task vector x_i - b. */
export interface Rank {
  /** Index of the task vector: 0 is the first input after the base. */
  model: number;
  keep: number;
}

/** What to select, and whether the kept share of each L1 norm is wanted too (`rescale`). */
export interface Selection {
  ranks: readonly Rank[];
  sums: boolean;
  /** The base is zero and hardly any two values are equal, as differences of 16-bit floats often are. */
  isScattered?: boolean;
}
