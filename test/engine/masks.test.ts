import { jest } from '@jest/globals';
import { describeMasks } from '../support/mask-suite.js';

// Long enough for a machine that is busy with other things; nothing here waits for time to pass.
jest.setTimeout(120_000);

describeMasks({ seeds: 20, rows: 64, columns: 256, pairs: 200 });
