import { describeMergeKit } from '../support/mergekit-suite.js';

describeMergeKit(['python', 'soak'], 1000, 200);
