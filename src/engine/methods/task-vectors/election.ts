import { type MergeOperation, numberSetting } from '../method.js';
import { ELECTION_ENTRY_BYTES, type Voter, writeElection } from './election-table.js';
import type { Merging, Participant } from './task-vectors.js';

/**
 * TIES' consensus (arXiv:2306.01708): the models elect a sign for every element by the sum of their votes, and those that
 * agree are added up: y = b + lambda sum' w_i s_i d_i / sum' w_i (no division when `normalize` is false). A vote is
 * w_i s_i d_i, or s_i d_i when `weighted_election` is false.
 */
export const election: Merging = (operation, participants, workspace) => {
  const voters = participants.map((participant) => voterOf(operation, participant));
  const negligible = negligibleDivisor(operation, voters);
  const table = workspace.allocate(voters.length * ELECTION_ENTRY_BYTES);
  const { elect, electMixed } = workspace.arithmetic;
  const decide = new Set(voters.map(({ share }) => Math.sign(share))).size > 1 ? electMixed : elect;
  return ({ inputs, output, count }) => {
    writeElection(workspace, table, voters, inputs);
    decide(output, inputs[0] ?? 0, table, voters.length, negligible, count);
  };
};

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
