import { jest } from '@jest/globals';
import { describeWith } from '../support/environment.js';
import { describeWithShared } from '../support/shared.js';
import { itMovesLargeFilesInLittleMemory } from '../support/transfer-memory.js';

jest.setTimeout(3_600_000);

describeWith(['soak'], 'Memory: 5 GB from and to the Hub', () => {
  describeWithShared('fakehub', 'beside the stand-in', (folder) => {
    itMovesLargeFilesInLittleMemory(folder, 5e9);
  });
});
