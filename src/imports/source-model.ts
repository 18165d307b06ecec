import type { Checkpoint, CheckpointFiles } from '../engine/index.js';
import { findHubReference } from '../hub/hub-reference.js';
import { findS3Reference } from '../storage/s3-reference.js';
import type { ImportPlan } from './import-plan.js';

/** A model outside the registry at what it is now, as far as its headers and small files tell: not one byte of a tensor was moved. */
export interface SourceModel {
  /** What an import of it would fetch. */
  plan: ImportPlan;
  files: CheckpointFiles;
  checkpoint: Checkpoint;
}

/** Whether a text names a model that can be imported: `hf:org/name`, `hf:org/name@revision` or `s3://bucket/prefix`. */
export function isImportSource(text: string): boolean {
  return (findHubReference(text) ?? findS3Reference(text)) !== undefined;
}
