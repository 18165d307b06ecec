/** Lets so many pieces of work run at once; the others wait in the order in which they came. */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}

/** Runs all; once one fails the others are called off, waited for, and its error is thrown. */
export async function allOrNone(
  outer: AbortSignal,
  works: readonly ((signal: AbortSignal) => Promise<void>)[],
): Promise<void> {
  const off = new AbortController();
  const signal = AbortSignal.any([outer, off.signal]);
  let first: { error: unknown } | undefined;
  await Promise.all(
    works.map((work) =>
      work(signal).catch((error: unknown) => {
        first ??= { error };
        off.abort(new Error('another part failed'));
      }),
    ),
  );
  outer.throwIfAborted();
  if (first) throw first.error;
}
