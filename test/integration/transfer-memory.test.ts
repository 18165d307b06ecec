import { jest } from '@jest/globals';
import { describeWithShared } from '../support/shared.js';
import { itMovesLargeFilesInLittleMemory } from '../support/transfer-memory.js';

jest.setTimeout(300_000);

describeWithShared('fakehub', 'memory of what goes from and to the Hub', (folder) => {
  itMovesLargeFilesInLittleMemory(folder, 1e9);
});
