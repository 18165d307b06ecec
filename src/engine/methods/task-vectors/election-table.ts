import type { Pointer } from '../../kernels/kernels.js';
import type { Workspace } from '../method.js';

/** A model in an election. */
export interface Voter {
  model: number;
  vote: number;
  share: number;
  coefficient: number;
}

/** An entry of the table that the `elect` kernel reads: assembly/consensus.ts has its layout. */
export const ELECTION_ENTRY_BYTES = 40;
const SIGN = 0x8000_0000;

/** Writes the table for one block. */
export function writeElection(
  workspace: Workspace,
  table: Pointer,
  voters: readonly Voter[],
  inputs: readonly Pointer[],
): void {
  const view = new DataView(workspace.memory.buffer, table, voters.length * ELECTION_ENTRY_BYTES);
  voters.forEach(({ model, vote, share, coefficient }, i) => {
    const at = i * ELECTION_ENTRY_BYTES;
    view.setUint32(at, inputs[model + 1] ?? 0, true);
    view.setFloat64(at + 8, vote, true);
    view.setFloat64(at + 16, share, true);
    if (workspace.arithmetic.elementBytes === 4) view.setFloat32(at + 4, coefficient, true);
    else view.setFloat64(at + 24, coefficient, true);
    view.setFloat32(at + 32, share, true);
    view.setUint32(at + 36, vote < 0 ? SIGN : 0, true);
  });
}
