/** A model in a closure: what it declares, and which nodes it was made from. */
export interface LicenceNode {
  /** As `parseLicenceId` gives it; null for what states nothing of its own, such as a merge: its ancestors speak. */
  licence: string | null;
  /** What people know the model by; absent where only licences are given. */
  name?: string;
  /** Indexes of its direct ancestors. */
  parents: readonly number[];
}

/** One model of a path of ancestors. */
export interface PathStep {
  licence: string | null;
  name?: string | undefined;
}

/** All models that go into a merge, with all their ancestors. Any order; no cycles. */
export class Closure {
  /** Indexes of all ancestors of each node. */
  readonly #ancestors: (ReadonlySet<number> | undefined)[] = [];
  readonly #children: number[][];
  /** Every licence that somebody stated anywhere, each once, sorted. */
  readonly licences: readonly string[];

  constructor(readonly nodes: readonly LicenceNode[]) {
    this.licences = [...new Set(nodes.flatMap(({ licence }) => licence ?? []))].sort(compare);
    this.#children = nodes.map(() => []);
    for (const [child, { parents }] of nodes.entries()) {
      for (const parent of parents) this.#children[parent]?.push(child);
    }
    // Parents before children, without recursion: a lineage may be deeper than the stack.
    const waiting = nodes.map(({ parents }) => new Set(parents).size);
    const ready = [...nodes.keys()].filter((index) => waiting[index] === 0);
    for (let index = ready.pop(); index !== undefined; index = ready.pop()) {
      const parents = nodes[index]?.parents ?? [];
      this.#ancestors[index] = new Set(parents.flatMap((parent) => [parent, ...(this.#ancestors[parent] ?? [])]));
      for (const child of new Set(this.#children[index])) {
        waiting[child] = (waiting[child] ?? 0) - 1;
        if (waiting[child] === 0) ready.push(child);
      }
    }
  }

  /** What nothing in the closure was made into. */
  get roots(): number[] {
    return [...this.nodes.keys()].filter((index) => this.nodes[index]?.parents.length === 0);
  }

  ancestorsOf(index: number): ReadonlySet<number> {
    return this.#ancestors[index] ?? new Set();
  }

  findByLicence(licence: string): number | undefined {
    return this.#least([...this.nodes.keys()].filter((index) => this.nodes[index]?.licence === licence));
  }

  /** A way from an ancestor through this node to a merged model, oldest first. @param from must be on it, if given */
  pathThrough(index: number, from?: number): PathStep[] {
    const path = [index];
    const above = (at: number): number[] => [...(this.nodes[at]?.parents ?? [])];
    for (let at = this.#up(index, above, from); at !== undefined; at = this.#up(at, above, from)) path.unshift(at);
    for (
      let at = this.#least(this.#children[index] ?? []);
      at !== undefined;
      at = this.#least(this.#children[at] ?? [])
    )
      path.push(at);
    return path.map((each) => this.#step(each));
  }

  #up(at: number, above: (at: number) => number[], from: number | undefined): number | undefined {
    const parents = above(at);
    if (from === undefined || at === from || !this.ancestorsOf(at).has(from)) return this.#least(parents);
    return this.#least(parents.filter((parent) => parent === from || this.ancestorsOf(parent).has(from)));
  }

  /** The same node whatever the order of the nodes is. */
  #least(indexes: readonly number[]): number | undefined {
    const key = (index: number): string => `${this.nodes[index]?.licence ?? ''} ${this.nodes[index]?.name ?? ''}`;
    return [...indexes].sort((a, b) => compare(key(a), key(b)))[0];
  }

  #step(index: number): PathStep {
    const { licence = null, name } = this.nodes[index] ?? {};
    return { licence, ...(name !== undefined && { name }) };
  }
}

/** By code units: the same on every machine. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** `a>b>c`, with names where there are. */
export function pathText(path: readonly PathStep[]): string {
  return path.map(({ licence, name }) => [name, licence].filter((part) => part != null).join(': ')).join(' > ');
}
