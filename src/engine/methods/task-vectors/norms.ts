import { BLOCK_ELEMENTS, type Block, type Gatherer, type Statistic, type Workspace } from '../method.js';
import { addUpSums } from '../selection/sums.js';
import type { KeptMasks, Leaving } from './masks.js';
import { scaleToNorm } from './rescale.js';

/** L1 norms of the task vectors before and after their elements are left out, block by block: for `rescale: l1`. */
export function gatherNorms(
  remains: readonly (Leaving | undefined)[],
  most: number,
  { arithmetic, allocate, kernels, memory, reserve }: Workspace,
  masks: KeptMasks,
): Gatherer {
  const zeros = allocate(Math.max(most, BLOCK_ELEMENTS) * arithmetic.elementBytes);
  const sums: number[] = [];
  const pair = reserve(16);
  const makers = remains.map((one, model) => one?.makeMask && masks.keeping(model, one.makeMask));
  const isMasked = remains.every((one) => one === undefined || one.makeMask !== undefined);
  const sumStored = (block: Block): void => {
    for (const [model, maskAt] of makers.entries()) {
      if (maskAt === undefined) {
        sums.push(0, 0);
        continue;
      }
      kernels.sumKeptBF16(block.inputs[model + 1] ?? 0, block.inputs[0] ?? 0, maskAt(block), pair, block.count);
      sums.push(...new Float64Array(memory.buffer, pair, 2));
    }
  };
  return {
    block: (block: Block) => {
      const { inputs, count } = block;
      const base = inputs[0] ?? 0;
      remains.forEach((one, model) => {
        const x = inputs[model + 1] ?? 0;
        if (one === undefined) return sums.push(0, 0);
        sums.push(arithmetic.sumMagnitudes(x, base, 0n, count));
        one.sparsify(x, base, block);
        masks.note(model, x, block);
        return sums.push(arithmetic.sumMagnitudes(x, zeros, 0n, count));
      });
    },
    stored: isMasked ? sumStored : undefined,
    partial: () => ({ sums: Float64Array.from(sums) }),
  };
}

/** What each model's remains are multiplied with, so that its norm stays. */
export function combineNorms(models: number, partials: readonly Statistic[]): Statistic {
  return { scales: addUpSums(partials, models).map(({ total, above }) => scaleToNorm(total, above)) };
}
