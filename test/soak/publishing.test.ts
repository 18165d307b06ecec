import { jest } from '@jest/globals';
import { describeWith } from '../support/environment.js';
import { itPublishesUnderFaults } from '../support/fault-suites.js';
import { describeWithShared } from '../support/shared.js';

jest.setTimeout(3_600_000);

describeWith(['soak'], 'publishing under faults by chance', () => {
  describeWithShared('fakehub', 'beside the stand-in', (folder) => itPublishesUnderFaults(folder, 200, 1_000));
});
