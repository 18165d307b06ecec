import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { builtUrl } from '../built.js';
import { EngineError, type EngineErrorCode, type EngineErrorDetails } from '../errors.js';
import type { MergePlan } from '../plan/merge-plan.js';
import type { TensorReport } from '../report/tensor-report.js';
import type { ExecuteOptions } from './options.js';
import { slicesOf } from './task.js';

export type CompareAnswer =
  { reports: TensorReport[] } | { code: EngineErrorCode; message: string; details: EngineErrorDetails };

/**
 * `compare` for a process that serves others meanwhile: on a thread that lives as long as this call.
 * @throws EngineError merge_cancelled when the signal aborts, and what `compare` throws
 */
export async function compareOffThread(
  plan: MergePlan,
  { locate, signal }: Pick<ExecuteOptions, 'locate' | 'signal'>,
): Promise<TensorReport[]> {
  const paths: Record<string, string>[] = plan.inputs.map(() => ({}));
  for (const { tensors } of plan.shards) {
    for (const { operation } of tensors) {
      for (const { input, file } of slicesOf(operation)) (paths[input] ??= {})[file] ??= locate(input, file);
    }
  }
  const worker = new Worker(builtUrl('execution/compare.worker.js'), { workerData: { plan, paths } });
  try {
    // Rejects when the thread dies: `once` listens for 'error' too.
    const [answer] = (await once(worker, 'message', signal === undefined ? {} : { signal })) as [CompareAnswer];
    if ('code' in answer) throw new EngineError(answer.code, answer.message, answer.details);
    return answer.reports;
  } catch (error) {
    if (signal?.aborted === true) throw new EngineError('merge_cancelled', 'the comparison was called off');
    throw error;
  } finally {
    await worker.terminate();
  }
}
