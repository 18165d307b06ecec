import { describeMergeKit } from '../support/mergekit-suite.js';

describeMergeKit(['python'], 0, 20);
