import type { EngineErrorCode } from '../../../src/engine/errors.js';
import type { Folder } from '../../support/checkpoint-bytes.js';

/** A folder that someone could push, and the code with which it must be refused when config.json is required. */
export interface CheckpointAttack {
  name: string;
  code: EngineErrorCode;
  files: () => Folder;
}
