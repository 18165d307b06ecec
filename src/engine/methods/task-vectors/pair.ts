import type { MergePair, Pointer } from '../../kernels/kernels.js';
import type { Block, Fill, Workspace } from '../method.js';
import type { Threshold } from '../selection/selection.js';
import type { Participant } from './task-vectors.js';

/** One of two models that are merged with each other. */
export interface Partner extends Pick<Participant, 'model' | 'band' | 'maskAt'> {
  /** What its delta is multiplied with where the other one adds nothing. */
  alone: number;
  /** And where both add something. */
  together: number;
}

/** How bf16 is filled as it is stored. */
type StoredFill = Pick<Fill, 'stored' | 'isPointwise'>;

/** The settings that the kernels of pairs read: assembly/pair.ts has their layout. */
const SETTINGS_BYTES = 208;
const PARTNER_BYTES = 24;
const MASKS = 72;
const HIGHEST_KEY = 0x7fff_ffff;
/** Votes further apart, or far from 1, are left to the kernel for any number of models. */
const LARGEST_VOTE = 2 ** 60;
/** More than the error of a product in f32 with a rounded factor. */
const UNSURE = 2 ** -21;

/** Whether f32 can tell, nearly always, which of two opposed deltas has the larger vote. */
export function areComparable(votes: readonly number[]): boolean {
  return votes.length === 2 && votes.every((vote) => vote > 1 / LARGEST_VOTE && vote < LARGEST_VOTE);
}

/** Merges the two under the sign that they elect. @param votes that are comparable */
export function electingPair(partners: readonly Partner[], votes: readonly number[], workspace: Workspace): Fill {
  const { electPairF32, trimElectPairBF16, bandElectPairBF16, maskElectPairBF16 } = workspace.kernels;
  const [first = 0, second = 0] = votes;
  // The kernels count y's vote relative to x's, so that nothing vanishes.
  const pair = first <= second ? new Pair(partners, workspace) : new Pair([...partners].reverse(), workspace);
  pair.setVotes(Math.min(first, second), Math.max(first, second));
  const hasOutliers = partners.some(({ band }) => band?.most !== undefined);
  const fill = (block: Block): void => pair.merge(electPairF32, block);
  const byBands = hasOutliers ? bandElectPairBF16 : trimElectPairBF16;
  return Object.assign(fill, pair.byBands(byBands) ?? pair.byMasks(maskElectPairBF16));
}

/** Adds the two up, from bf16 to bf16; nothing where neither magnitudes nor masks tell what is left of them. */
export function summingPair(partners: readonly Partner[], workspace: Workspace): StoredFill | undefined {
  const { bandSumPairBF16, maskSumPairBF16 } = workspace.kernels;
  const pair = new Pair(partners, workspace);
  return pair.byBands(bandSumPairBF16) ?? pair.byMasks(maskSumPairBF16);
}

/** The settings of one pair in the kernels' memory. */
class Pair {
  private readonly settings: Pointer;

  constructor(
    private readonly partners: readonly Partner[],
    private readonly workspace: Workspace,
  ) {
    this.settings = workspace.allocate(SETTINGS_BYTES);
    const view = this.view();
    partners.forEach(({ alone, together }, i) => {
      view.setFloat32(i * PARTNER_BYTES + 16, alone, true);
      view.setFloat32(i * PARTNER_BYTES + 20, together, true);
    });
  }

  setVotes(x: number, y: number): void {
    const view = this.view();
    view.setFloat32(48, y / x, true);
    // Equal votes leave the deltas as they are: the sign of their sum is never wrong.
    view.setFloat32(52, x === y ? -1 : (y / x) * UNSURE, true);
    view.setFloat64(56, x, true);
    view.setFloat64(64, y, true);
  }

  byBands(kernel: MergePair): StoredFill | undefined {
    const limits = this.partners.flatMap(({ band }): (Threshold | undefined)[] =>
      band === undefined ? [] : [band.least, band.most],
    );
    if (limits.length < 2 * this.partners.length) return undefined;
    const stored = (block: Block): void => {
      this.writeLimits(limits);
      this.merge(kernel, block);
      this.readQuotas(limits);
    };
    return { stored, isPointwise: true };
  }

  byMasks(kernel: MergePair): StoredFill | undefined {
    const masks = this.partners.flatMap(({ maskAt }) => maskAt ?? []);
    if (masks.length < this.partners.length) return undefined;
    const stored = (block: Block): void => {
      const view = this.view();
      // Models may share a mask, and to make it uses quotas up.
      const places = new Map([...new Set(masks)].map((maskAt) => [maskAt, maskAt(block)]));
      masks.forEach((maskAt, i) => view.setUint32(MASKS + 4 * i, places.get(maskAt) ?? 0, true));
      this.merge(kernel, block);
    };
    return { stored };
  }

  merge(kernel: MergePair, { inputs, output, count }: Block): void {
    const [x, y] = this.partners.map(({ model }) => inputs[model + 1] ?? 0);
    kernel(output, inputs[0] ?? 0, x ?? 0, y ?? 0, this.settings, count);
  }

  /** The key from which elements are kept, then that from which they are not, of one partner and of the other. */
  private writeLimits(limits: readonly (Threshold | undefined)[]): void {
    const view = this.view();
    limits.forEach((limit, i) => {
      const none = i % 2 === 0 ? -1 : HIGHEST_KEY;
      view.setInt32(placeOf(i), limit === undefined ? none : Number(limit.key), true);
      view.setUint32(placeOf(i) + 4, limit?.quota ?? 0, true);
    });
  }

  private readQuotas(limits: readonly (Threshold | undefined)[]): void {
    const view = this.view();
    limits.forEach((limit, i) => {
      if (limit !== undefined) limit.quota = view.getUint32(placeOf(i) + 4, true);
    });
  }

  private view(): DataView {
    return new DataView(this.workspace.memory.buffer, this.settings, SETTINGS_BYTES);
  }
}

function placeOf(limit: number): number {
  return Math.floor(limit / 2) * PARTNER_BYTES + (limit % 2) * 8;
}
