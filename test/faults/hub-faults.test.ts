import { describe, jest } from '@jest/globals';
import { itImportsUnderFaults, itPublishesUnderFaults } from '../support/fault-suites.js';
import { describeWithShared } from '../support/shared.js';

jest.setTimeout(600_000);

describeWithShared('fakehub', 'a Hub on which things go wrong', (folder) => {
  describe('read', () => itImportsUnderFaults(folder, 20, 0));
  describe('written', () => itPublishesUnderFaults(folder, 20, 0));
});
