import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { plainCopy } from './plain-copy.js';
import { writeSparseExperts } from '../support/sparse-experts.js';
import { benchRecipes, type BenchRecipe, manyTensorsRecipes } from './recipes.js';
import { writeSyntheticCoefficients, writeSyntheticLlama } from './synthetic-llama.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    models: { type: 'string', default: join(tmpdir(), 'amalgam-bench-models') },
    only: { type: 'string' },
    /** A Python that has mergekit 0.1.5; without it that column stays empty. */
    python: { type: 'string', default: process.env['AMALGAM_TEST_PYTHON'] ?? 'python3' },
    'no-mergekit': { type: 'boolean', default: false },
    'keep-models': { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const only = values.only?.split(',');
const directory = values.models;
const cli = new URL('../../src/cli/amalgam.js', import.meta.url).pathname;
const run = promisify(execFile);
/** Promised for every method. */
const PEAK_BYTES = 400e6;
/** A mixture of experts that keeps every expert's matrices apart, and what a merge of it may take beyond its bytes. */
const MANY_TENSORS = 20_000;
const MANY_SECONDS = 5;

interface MergeRun {
  mergeSeconds: number;
  wholeSeconds: number;
  peakRssBytes: number;
  readBytes: number;
  writtenBytes: number;
}

/** One `amalgam merge` as a person would start it. */
async function merge(recipe: string, digests: boolean, models = directory): Promise<MergeRun> {
  const out = join(work, 'merged');
  rmSync(out, { recursive: true, force: true });
  const flags = ['--json', '--quiet', '--no-fsync', digests ? '--digests' : '--no-digests'];
  const begun = performance.now();
  const { stdout } = await run(process.execPath, [cli, 'merge', recipe, out, ...flags], { cwd: models });
  const wholeSeconds = (performance.now() - begun) / 1000;
  rmSync(out, { recursive: true, force: true });
  return { ...(JSON.parse(stdout) as Omit<MergeRun, 'wholeSeconds'>), wholeSeconds };
}

/** The plain copy of the same bytes, and `dd` for the same, which it must not differ from by much. */
function copy(recipe: BenchRecipe, bytes: number): number {
  const inputs = recipe.models.map((model) => join(directory, model, 'model.safetensors'));
  const out = join(work, 'copied');
  const seconds = plainCopy(inputs, out, bytes);
  rmSync(out);
  return seconds;
}

function dd(recipe: BenchRecipe): number {
  const begun = performance.now();
  recipe.models.forEach((model, index) => {
    const input = join(directory, model, 'model.safetensors');
    const output = index === 0 ? join(work, 'dd') : '/dev/null';
    execFileSync('dd', [`if=${input}`, `of=${output}`, 'bs=1M'], { stdio: 'ignore' });
  });
  const seconds = (performance.now() - begun) / 1000;
  rmSync(join(work, 'dd'));
  return seconds;
}

async function mergekit(recipe: string): Promise<number | undefined> {
  const out = join(work, 'mergekit');
  const begun = performance.now();
  const argv = [
    '-m',
    'mergekit.scripts.run_yaml',
    recipe,
    out,
    '--no-copy-tokenizer',
    '--no-write-model-card',
    '--quiet',
  ];
  try {
    await run(values.python, argv, { cwd: directory, env: { ...process.env, HF_HUB_OFFLINE: '1' }, maxBuffer: 1e8 });
    return (performance.now() - begun) / 1000;
  } catch {
    return undefined;
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;
}

interface Round {
  plain: number;
  dd: number;
  bare: MergeRun;
  digested: MergeRun;
}

/**
 * Copies and merges alternate, so that whatever else the machine does meets both. Before each of them as many bytes as it
 * will write are written and removed again: a machine may first have to give a new file its memory, which takes as long as
 * the copy itself, and all are to find it given.
 */
async function measure(recipe: BenchRecipe, path: string): Promise<Round[]> {
  const bytes = statSync(join(directory, recipe.models[0] ?? '', 'model.safetensors')).size;
  const prepare = (): number => copy(recipe, bytes);
  const measured: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    prepare();
    const plain = copy(recipe, bytes);
    prepare();
    const bare = await merge(path, false);
    prepare();
    const bySystem = dd(recipe);
    prepare();
    measured.push({ plain, bare, dd: bySystem, digested: await merge(path, true) });
  }
  return measured;
}

async function bench(recipe: BenchRecipe, hasMergekit: boolean): Promise<string[]> {
  const path = join(work, `${recipe.method}.yaml`);
  writeFileSync(path, recipe.text);
  // MergeKit takes a minute on some methods: once is enough to judge a factor of six and more.
  const theirs = hasMergekit && recipe.speedup !== undefined ? await mergekit(path) : undefined;
  const measured = await measure(recipe, path);
  const of = (pick: (round: Round) => number): number => median(measured.map(pick));
  const plain = of((round) => round.plain);
  const seconds = of(({ bare }) => bare.mergeSeconds);
  const ratio = of((round) => round.bare.mergeSeconds / round.plain);
  const whole = of(({ bare }) => bare.wholeSeconds);
  const peak = Math.max(...measured.map(({ bare }) => bare.peakRssBytes));
  const moved = of(({ bare }) => bare.readBytes + bare.writtenBytes);
  const kept = [ratio <= recipe.limit, peak <= PEAK_BYTES];
  if (theirs !== undefined) kept.push(theirs / whole >= (recipe.speedup ?? 0));
  return [
    recipe.method,
    plain.toFixed(2),
    of((round) => round.dd / round.plain).toFixed(2),
    seconds.toFixed(2),
    `${ratio.toFixed(2)} (max ${recipe.limit})`,
    (moved / seconds / 1e9).toFixed(1),
    of(({ digested }) => digested.mergeSeconds).toFixed(2),
    whole.toFixed(2),
    (peak / 1e6).toFixed(0),
    theirs === undefined ? '-' : `${theirs.toFixed(1)} (${(theirs / whole).toFixed(0)}x, min ${recipe.speedup ?? 0}x)`,
    kept.every(Boolean) ? 'kept' : 'MISSED',
  ];
}

/** Seconds of merges in which every tensor is tiny. */
async function benchManyTensors(): Promise<void> {
  const models = join(work, 'experts');
  for (const model of ['base', 'a', 'b']) writeSparseExperts(join(models, model), MANY_TENSORS);
  console.log(`\n${MANY_TENSORS} tensors of 1 KB, for what a merge does for each:\n`);
  console.log('| method | merge s | whole process s | promise |\n|---|---|---|---|');
  for (const [method, text] of Object.entries(manyTensorsRecipes)) {
    const path = join(work, `many-${method}.yaml`);
    writeFileSync(path, text);
    const runs: MergeRun[] = [];
    for (let round = 0; round < rounds; round++) runs.push(await merge(path, false, models));
    const seconds = median(runs.map(({ mergeSeconds }) => mergeSeconds));
    const whole = median(runs.map(({ wholeSeconds }) => wholeSeconds));
    const promise = `${whole < MANY_SECONDS ? 'kept' : 'MISSED'} (max ${MANY_SECONDS})`;
    console.log(`| ${[method, seconds.toFixed(2), whole.toFixed(2), promise].join(' | ')} |`);
  }
}

const work = mkdtempSync(join(tmpdir(), 'amalgam-bench-'));
const header = [
  'method',
  'copy s',
  'dd/copy',
  'merge s',
  'merge/copy',
  'GB/s',
  'with digests s',
  'whole process s',
  'peak RSS MB',
  'MergeKit s',
  'promise',
];
try {
  for (const [variant, model] of ['base', 'a', 'b'].entries())
    await writeSyntheticLlama(join(directory, model), variant);
  await writeSyntheticCoefficients(join(directory, 'coefficients'));
  let hasMergekit = !values['no-mergekit'];
  if (hasMergekit) {
    hasMergekit = await run(values.python, ['-c', 'import mergekit']).then(
      () => true,
      () => false,
    );
  }
  const [cpu] = cpus();
  console.log(
    `${availableParallelism()} cores (${cpu?.model.trim() ?? 'unknown'}), Node ${process.version}, medians of ${rounds}, page cache warm`,
  );
  console.log(
    `412 million bf16 parameters a model; MergeKit 0.1.5: ${hasMergekit ? values.python : 'not installed'}\n`,
  );
  console.log(`| ${header.join(' | ')} |\n|${header.map(() => '---').join('|')}|`);
  for (const recipe of benchRecipes) {
    if (only !== undefined && !only.includes(recipe.method)) continue;
    console.log(`| ${(await bench(recipe, hasMergekit)).join(' | ')} |`);
  }
  if (only === undefined || only.includes('many-tensors')) await benchManyTensors();
} finally {
  rmSync(work, { recursive: true, force: true });
  if (!values['keep-models']) rmSync(directory, { recursive: true, force: true });
}
