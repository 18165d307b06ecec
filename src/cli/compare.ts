import { dump } from 'js-yaml';
import { reportTable } from '../cards/report-section.js';
import { compare as compareWeights, mergeReport, type ReportMode } from '../engine/index.js';
import { advice } from '../cards/report-advice.js';
import { nameOf } from './local-card.js';
import { planLocally } from './local-plan.js';

export interface CompareOptions {
  base?: string;
  report?: ReportMode;
  json?: boolean;
}

/** `amalgam compare A B`: how models differ, without merging them. @throws EngineError, Failure */
export async function compare(directories: readonly string[], options: CompareOptions): Promise<void> {
  const { base, report: mode = 'sampled' } = options;
  const models = directories.map((model) => ({ model, parameters: { weight: 1 } }));
  // Whatever method asks the least of the models: only their differences are looked at.
  const recipe =
    base === undefined
      ? { merge_method: 'linear', models }
      : { merge_method: 'task_arithmetic', base_model: base, models };
  const source = { path: 'the models', text: dump(recipe) };
  const { plan, models: opened } = await planLocally(source, { report: mode, copyTokenizer: false });
  const reports = compareWeights(plan, {
    locate: (input, file) => opened.get(plan.inputs[input]?.reference ?? '')?.path(file) ?? file,
  });
  const names = plan.inputs.map(({ reference }) => nameOf(reference));
  const report = mergeReport(mode === 'none' ? 'sampled' : mode, names, reports);
  const hint = advice(report);
  if (options.json === true) process.stdout.write(`${JSON.stringify({ ...report, advice: hint }, null, 2)}\n`);
  else process.stdout.write(`${reportTable(report, false)}\n\n${hint}\n`);
}
