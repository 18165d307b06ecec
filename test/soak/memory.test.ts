import { jest } from '@jest/globals';
import { describeWith } from '../support/environment.js';
import { itNeedsNoMoreMemory } from '../support/memory-suite.js';

jest.setTimeout(7_200_000);

describeWith(['soak'], 'Memory: models that come from a counter', () => {
  itNeedsNoMoreMemory(['linear', 'slerp', 'ties', 'della'], [1, 40]);
});
