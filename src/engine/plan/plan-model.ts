import type { Checkpoint } from '../checkpoint/checkpoint.js';
import type { CheckpointFiles } from '../checkpoint/files.js';

/** A model as the planner needs it: its headers, and its small files. */
export interface PlanModel {
  checkpoint: Checkpoint;
  files: CheckpointFiles;
  /** What pins the bytes (PlanInput). */
  digest: string;
}
