import { parentPort } from 'node:worker_threads';

import { EngineError } from '../errors.js';
import { packHeader, packIndex } from './columns.js';
import { parseHeader } from './header.js';
import type { ParseAnswer, ParseRequest } from './off-thread.js';
import { parseIndex } from './shard-index.js';

parentPort?.on('message', (request: ParseRequest) => {
  parentPort?.postMessage(answer(request));
});

function answer({ bytes, fileBytes }: ParseRequest): ParseAnswer {
  try {
    return fileBytes === undefined
      ? { index: packIndex(parseIndex(bytes)) }
      : { header: packHeader(parseHeader(bytes, fileBytes)) };
  } catch (error) {
    // An error's own fields do not survive the way between threads.
    if (error instanceof EngineError) return { code: error.code, message: error.message, details: error.details };
    throw error;
  }
}
