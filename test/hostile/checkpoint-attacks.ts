import type { EngineErrorCode } from '../../src/engine/errors.js';
import type { Folder } from '../support/checkpoint-bytes.js';
import { folderAttacks } from './checkpoints/folder-attacks.js';
import { headerAttacks } from './checkpoints/header-attacks.js';
import { indexAttacks } from './checkpoints/index-attacks.js';

/** A folder that someone could push, and the code with which it must be refused when config.json is required. */
export interface CheckpointAttack {
  name: string;
  code: EngineErrorCode;
  files: () => Folder;
}

export const checkpointAttacks: readonly CheckpointAttack[] = [...headerAttacks, ...indexAttacks, ...folderAttacks];
