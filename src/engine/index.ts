// The engine's face. Everything else under src/engine is private to it.
export { inspect, type Checkpoint, type CheckpointTensor } from './checkpoint/checkpoint.js';
export { type CheckpointFiles, checkPath, localDirectory } from './checkpoint/files.js';
export { inspectOffThread } from './checkpoint/off-thread.js';
export { EngineError, type EngineErrorCode, engineErrorCodes } from './errors.js';
export { compare } from './execution/compare.js';
export { compareOffThread } from './execution/compare-off-thread.js';
export { execute, type MergeResult, type ShardResult } from './execution/execute.js';
export { MergeThreads } from './execution/merge-threads.js';
export { OutputDirectory, type OutputRequest } from './execution/output-directory.js';
export type { ExecuteOptions, MergeEvent } from './execution/options.js';
export { slicesOf } from './execution/task.js';
export { DEFAULT_SHARD_BYTES, plan, type PlanOptions } from './plan/plan.js';
export {
  formatReport,
  type MergeReport,
  mergeReport,
  REPORT_FILE,
  type ReportGroup,
  type ReportPart,
} from './report/merge-report.js';
export { DEFAULT_REPORT, type ReportMode, reportModes } from './report/report-mode.js';
export { type ReportRole, reportRoles } from './report/report-role.js';
export type { ReportNumbers } from './report/report-sums.js';
export type { TensorReport } from './report/tensor-report.js';
export { plannedFiles } from './plan/planned-files.js';
export type { PlanModel } from './plan/plan-model.js';
export { ENGINE_VERSION, type MergePlan, type PlanShard, type PlanTensor } from './plan/merge-plan.js';
