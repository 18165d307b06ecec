import { parentPort, workerData } from 'node:worker_threads';
import { EngineError } from '../errors.js';
import type { MergePlan } from '../plan/merge-plan.js';
import { compare } from './compare.js';
import type { CompareAnswer } from './compare-off-thread.js';

const { plan, paths } = workerData as { plan: MergePlan; paths: Record<string, string>[] };

function answer(): CompareAnswer {
  try {
    return { reports: compare(plan, { locate: (input, file) => paths[input]?.[file] ?? '' }) };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return { code: error.code, message: error.message, details: error.details };
  }
}

parentPort?.postMessage(answer());
