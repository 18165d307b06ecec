/**
 * How much of every tensor the merge report looks at: nothing, every 64th canonical block (an estimate), or every block.
 * NaN and infinity are counted in all of them, whatever the mode.
 */
export const reportModes = ['none', 'sampled', 'full'] as const;

export type ReportMode = (typeof reportModes)[number];

export const DEFAULT_REPORT: ReportMode = 'sampled';

/** From the first on, so that a tensor of one block is looked at as a whole. */
export const SAMPLED_BLOCKS = 64;

export function looksAt(mode: ReportMode, block: number): boolean {
  return mode === 'full' || (mode === 'sampled' && block % SAMPLED_BLOCKS === 0);
}
