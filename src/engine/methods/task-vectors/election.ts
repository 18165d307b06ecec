import { type Fill, type MergeOperation, numberSetting, type Workspace } from '../method.js';
import { ELECTION_ENTRY_BYTES, type Voter, writeElection } from './election-table.js';
import { areComparable, electingPair, type Partner } from './pair.js';
import type { Merging, Participant } from './task-vectors.js';

/**
 * TIES' consensus (arXiv:2306.01708): the models elect a sign for every element by the sum of their votes, and those that
 * agree are added up: y = b + lambda sum' w_i s_i d_i / sum' w_i (no division when `normalize` is false). A vote is
 * w_i s_i d_i, or s_i d_i when `weighted_election` is false.
 */
export const election: Merging = (operation, participants, workspace) => {
  const voters = participants.map((participant) => voterOf(operation, participant));
  return electing(operation, participants, voters, negligibleDivisor(operation, voters), workspace);
};

/**
 * y = b + sum' c_i d_i / sum' share_i over the models of the elected sign.
 * @param voters one a participant, in the same order
 * @param negligible a sum of shares that is not above it does not divide; below 0, none does
 */
export function electing(
  { work }: Pick<MergeOperation, 'work'>,
  participants: readonly Omit<Partner, 'alone' | 'together'>[],
  voters: readonly Voter[],
  negligible: number,
  workspace: Workspace,
): Fill {
  const votes = voters.map(({ vote }) => vote);
  if (work === 'F32' && areComparable(votes)) {
    return electingPair(partnersOf(participants, voters, negligible), votes, workspace);
  }
  const table = workspace.allocate(voters.length * ELECTION_ENTRY_BYTES);
  const { elect, electMixed } = workspace.arithmetic;
  const decide = new Set(voters.map(({ share }) => Math.sign(share))).size > 1 ? electMixed : elect;
  return ({ inputs, output, count }) => {
    writeElection(workspace, table, voters, inputs);
    decide(output, inputs[0] ?? 0, table, voters.length, negligible, count);
  };
}

/** Two models: each stands alone or both together, so what the sum is divided by is known before. */
function partnersOf(
  participants: readonly Omit<Partner, 'alone' | 'together'>[],
  voters: readonly Voter[],
  negligible: number,
): Partner[] {
  const divisorOf = (share: number): number => (negligible >= 0 && Math.abs(share) > negligible ? share : 1);
  const both = divisorOf(voters.reduce((sum, { share }) => sum + share, 0));
  return participants.map((participant, i) => {
    const { coefficient = 0, share = 0 } = voters[i] ?? {};
    return { ...participant, alone: coefficient / divisorOf(share), together: coefficient / both };
  });
}

function votesByWeight({ settings }: MergeOperation): boolean {
  return settings['weighted_election'] !== false;
}

function voterOf(operation: MergeOperation, { model, weight, scale }: Participant): Voter {
  const coefficient = numberSetting(operation.settings, 'lambda') * (weight * scale);
  return { model, vote: votesByWeight(operation) ? weight * scale : scale, share: weight, coefficient };
}

/** Relative to all shares, what is below this is a rounding error: MergeKit divides by it and writes garbage. */
const CANCELLED = 1e-12;

function negligibleDivisor(operation: MergeOperation, voters: readonly Voter[]): number {
  if (operation.settings['normalize'] === false) return -1;
  return CANCELLED * voters.reduce((sum, { share }) => sum + Math.abs(share), 0);
}
