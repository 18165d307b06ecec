import { describeBlobs } from '../support/blob-races.js';

describeBlobs('blobs of the embedded home', () => ({ settings: {} }));
