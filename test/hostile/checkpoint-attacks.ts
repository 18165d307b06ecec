import type { CheckpointAttack } from './checkpoints/attack.js';
import { folderAttacks } from './checkpoints/folder-attacks.js';
import { headerAttacks } from './checkpoints/header-attacks.js';
import { indexAttacks } from './checkpoints/index-attacks.js';

export const checkpointAttacks: readonly CheckpointAttack[] = [...headerAttacks, ...indexAttacks, ...folderAttacks];
