import type { Pointer } from '../../kernels/kernels.js';
import type { Workspace } from '../method.js';

/** How probable it is that an element is kept: of the smallest of a row, and how much more from rank to rank. */
export interface RankedOdds {
  lowest: number;
  step: number;
  /** What is kept is divided by its probability. */
  isScaled: boolean;
}

/** What a mask leaves of one row of a model, whose first element is `first`. */
export interface KeepRanked {
  /** Turns the row into what is left of its task vector, in place. */
  keep: (x: Pointer, base: Pointer, draws: Pointer, model: number, first: number) => void;
  /** Writes the mask of a row of bf16 as they are stored. */
  mark?: ((mask: Pointer, x: Pointer, base: Pointer, draws: Pointer, model: number, first: number) => void) | undefined;
}

/**
 * Ranks count from 0 for the smallest magnitude of the row; of equal ones the lower index has the higher rank.
 * @param key of the tensor's draws
 */
export function rankedKeeper(odds: RankedOdds, key: bigint, row: number, workspace: Workspace): KeepRanked {
  return workspace.arithmetic.elementBytes === 4
    ? singleKeeper(odds, key, row, workspace)
    : doubleKeeper(odds, key, row, workspace);
}

/** The kernel's bins and list; besides, it has 24 bytes an element. */
const SCRATCH_BYTES = 600_000;

function singleKeeper(odds: RankedOdds, key: bigint, row: number, workspace: Workspace): KeepRanked {
  const { kernels, memory } = workspace;
  const settings = workspace.allocate(28);
  const scratch = workspace.reserve(24 * row + SCRATCH_BYTES);
  const view = new DataView(memory.buffer, settings, 28);
  view.setFloat64(0, odds.lowest * 2 ** 32, true);
  view.setFloat64(8, odds.step * 2 ** 32, true);
  view.setUint32(16, odds.isScaled ? 1 : 0, true);
  view.setUint32(20, scratch, true);
  view.setUint32(24, row, true);
  return {
    keep: (x, base, draws, model, first) => kernels.keepRankedF32(x, base, draws, settings, key, model, first),
    // A mask begins with a byte, and says nothing of probabilities.
    mark:
      odds.isScaled || row % 8 !== 0
        ? undefined
        : (mask, x, base, draws, model, first) =>
            kernels.rankMaskBF16(mask, x, base, draws, settings, key, model, first),
  };
}

/** The same for the rare models of f64, without a kernel of its own. */
function doubleKeeper(odds: RankedOdds, key: bigint, row: number, workspace: Workspace): KeepRanked {
  const { arithmetic, kernels, memory } = workspace;
  const keep: KeepRanked['keep'] = (x, base, draws, model, first) => {
    arithmetic.subtract(x, x, base, row);
    const deltas = new Float64Array(memory.buffer, x, row);
    const bits = new Uint16Array(memory.buffer, draws, row);
    const sizes = deltas.map(Math.abs);
    const ascending = Uint32Array.from(deltas.keys()).sort((a, b) => (sizes[a] ?? 0) - (sizes[b] ?? 0) || b - a);
    ascending.forEach((i, rank) => {
      const probability = odds.lowest + rank * odds.step;
      const draw = (bits[i] ?? 0) * 65_536 + kernels.drawMoreBits(key, model, first + i);
      const isKept = draw < Math.floor(probability * 2 ** 32 + 0.5) && deltas[i] !== 0;
      deltas[i] = isKept ? (deltas[i] ?? 0) / (odds.isScaled ? probability : 1) : 0;
    });
  };
  return { keep };
}
