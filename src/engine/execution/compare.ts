import { compileKernels } from '../kernels/kernels.js';
import { blockElements } from '../methods/method.js';
import { methodOf } from '../methods/registry.js';
import type { MergePlan } from '../plan/merge-plan.js';
import { type TensorReport, tensorReport } from '../report/tensor-report.js';
import { OpenFiles } from './file-access.js';
import { DEFAULT_CHUNK_BYTES, type ExecuteOptions } from './options.js';
import { slicesOf } from './task.js';
import { TensorRunner } from './tensor-runner.js';
import { Arena } from './workspace.js';

/**
 * The report that a merge by this plan would have, without the merge: what depends on its result is left out. Reads the
 * blocks that the plan's report looks at and no others, on the calling thread.
 *
 * @throws EngineError file_missing, file_truncated
 */
export function compare(plan: MergePlan, { locate }: Pick<ExecuteOptions, 'locate'>): TensorReport[] {
  const kernels = compileKernels();
  const paths: Record<string, string>[] = plan.inputs.map(() => ({}));
  const files = new OpenFiles();
  const setup = {
    ...{ kernels, paths, chunkBytes: DEFAULT_CHUNK_BYTES, report: plan.report, allowNan: true },
    ...{ progress: new SharedArrayBuffer(16), writing: new SharedArrayBuffer(4), stop: new SharedArrayBuffer(4) },
  };
  const runner = new TensorRunner(setup, new Arena(kernels), files);
  try {
    return plan.shards.flatMap(({ tensors }) =>
      tensors.flatMap((tensor) => {
        const { operation, name } = tensor;
        if (operation.kind === 'copy') return [];
        for (const { input, file } of slicesOf(operation)) (paths[input] ??= {})[file] ??= locate(input, file);
        const blocks = Math.ceil(operation.elements / blockElements(operation, methodOf(operation)));
        const range = { index: 0, firstBlock: 0, blocks };
        const { report } = runner.run({ id: 0, tensor: name, step: 'look', operation, range });
        return tensorReport(tensor, report === undefined ? [] : [report]);
      }),
    );
  } finally {
    files.close();
  }
}
