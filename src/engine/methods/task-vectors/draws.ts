import { createHash } from 'node:crypto';
import type { Pointer } from '../../kernels/kernels.js';
import type { Block, MergeOperation, Workspace } from '../method.js';

/**
 * The key of a tensor's random masks: the first 8 bytes of SHA-256 over the seed and the tensor's name in the result. Philox then counts models and elements
 * (assembly/random.ts), so a mask depends on nothing else: not on other tensors, threads or chunks.
 */
export function drawKey({ seed, tensor }: Pick<MergeOperation, 'seed' | 'tensor'>): bigint {
  return createHash('sha256').update(`${seed}\0${tensor}`).digest().readBigUInt64LE();
}

/** 2^32 times a probability below 1, which is as finely as draws can tell. */
export function drawLimit(probability: number): number {
  return Math.min(2 ** 32 - 1, Math.max(0, Math.round(probability * 2 ** 32)));
}

/** Draws begin with a group of so many elements, and are written by two groups. */
const GROUP = 32;

/** The first 16 bits of the draws of a block's elements, one behind the other. */
export type Draw = (model: number, block: Pick<Block, 'first' | 'count'>) => Pointer;

/** @param most elements of the largest block */
export function drawer(key: bigint, most: number, workspace: Workspace): Draw {
  const target = workspace.reserve((most + 3 * GROUP) * 2);
  return (model, { first, count }) => {
    const skipped = first % GROUP;
    workspace.kernels.drawBits(target, key, model, first - skipped, count + skipped);
    return target + 2 * skipped;
  };
}
