import { describe, jest } from '@jest/globals';
import { describeMasks } from '../support/mask-suite.js';

jest.setTimeout(3_600_000);

// 2^18 elements; pairs of the 4,000 masks of two models in two tensors under a thousand seeds.
describe('Random masks: as likely as they should be, and independent', () => {
  describeMasks({ seeds: 1000, rows: 256, columns: 1024, pairs: 10_000 });
});
