import { describeMasks } from '../support/mask-suite.js';

describeMasks({ seeds: 20, rows: 64, columns: 256, pairs: 200 });
