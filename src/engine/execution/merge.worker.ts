import { parentPort } from 'node:worker_threads';
import { EngineError } from '../errors.js';
import type { TensorSlice } from '../methods/method.js';
import { OpenFiles } from './file-access.js';
import type { Task, TaskResult, WorkerAnswer, WorkerSetup } from './task.js';
import { TensorRunner } from './tensor-runner.js';
import { Arena } from './workspace.js';

// The programs are loaded by now; what the merge needs may come later.
const setup = await new Promise<WorkerSetup>((resolve) => parentPort?.once('message', resolve));
const files = new OpenFiles();
const readSlice = ({ input, file, offset }: TensorSlice, target: Uint8Array): void => {
  files.read(setup.paths[input]?.[file] ?? '', target, offset);
};
const runner = new TensorRunner(setup, new Arena(setup.kernels, readSlice), files);

function answer(message: WorkerAnswer): void {
  parentPort?.postMessage(message, message.kind === 'done' ? countersOf(message.results) : []);
}

/** Far below the counters of a selection, which are megabytes a tensor. */
const LARGE_BYTES = 64 * 1024;

/**
 * Large statistics change hands instead of being copied: what a thread kept of them would be garbage that its own small
 * heap gives no reason to collect.
 */
function countersOf(results: readonly TaskResult[]): ArrayBuffer[] {
  const values = results.flatMap(({ statistics }) => statistics.flatMap((statistic) => Object.values(statistic)));
  const buffers = values.flatMap((value) => (ArrayBuffer.isView(value) ? [value.buffer as ArrayBuffer] : []));
  return [...new Set(buffers)].filter(({ byteLength }) => byteLength >= LARGE_BYTES);
}

function describe(error: unknown, tensor: string): WorkerAnswer {
  const known = error instanceof EngineError ? error.code : (error as NodeJS.ErrnoException).code;
  const { message, stack } = error as Error;
  return { kind: 'failed', code: known, message, tensor, stack };
}

parentPort?.on('message', (tasks: Task[] | 'close') => {
  if (tasks === 'close') {
    files.close();
    parentPort?.close();
    return;
  }
  let tensor = '';
  try {
    const results = tasks.map((task) => {
      tensor = task.tensor;
      return runner.run(task);
    });
    answer({ kind: 'done', results });
  } catch (error) {
    answer(describe(error, tensor));
  }
});

answer({ kind: 'ready' });
