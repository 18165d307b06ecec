import { type Command, Option } from 'commander';
import { count, integer, reportOption, shardSize } from './arguments.js';
import { addMergekitFlags } from './mergekit-flags.js';
import type { LocalPlanOptions } from './local-plan.js';
import type { CompareOptions } from './compare.js';
import type { LicenceOptions } from './licence.js';
import type { MergeOptions } from './merge.js';
import { UsageError } from './failure.js';
import { runCommand, runWithRecipe } from './run-command.js';

const MOST_THREADS = 256;

/** The commands that need no service. What they do is loaded when one is used. */
export function addLocalCommands(program: Command): void {
  addMerge(program);
  addPlan(program);
  program
    .command('validate')
    .summary('check recipes, without their models')
    .description('Checks recipes against the grammar alone: one line a file, or one for each issue.')
    .argument('<recipe...>', 'YAML files')
    .option('--lenient', 'take near misses of known names as warnings')
    .option('--json', 'answer as JSON')
    .action((paths: string[], options: { lenient?: boolean; json?: boolean }) =>
      runCommand(async () => {
        const { validate } = await import('./validate.js');
        return (await validate(paths, options)) ? 0 : 1;
      }),
    );
  program
    .command('inspect')
    .summary('say what a model directory holds')
    .argument('<directory>')
    .option('--tensors', 'list every tensor')
    .option('--json', 'answer as JSON')
    .action((directory: string, options: { json?: boolean; tensors?: boolean }) =>
      runCommand(async () => (await import('./inspect.js')).inspect(directory, options)),
    );
  program
    .command('compare')
    .summary('say how models differ, without merging them')
    .description('Norms and angles of the task vectors, and what they say about the choice of a method.')
    .argument('<directory...>', 'models, as directories')
    .option('--base <directory>', 'what they were fine-tuned from (default: their plain mean)')
    .addOption(new Option('--report <mode>', 'what is read (default: sampled)').choices(['sampled', 'full']))
    .option('--json', 'answer as JSON')
    .action((directories: string[], options: CompareOptions) =>
      runCommand(async () => (await import('./compare.js')).compare(directories, options)),
    );
  program
    .command('licence')
    .summary('say what licences allow together')
    .description(
      'Judges models by their licences and those of all their ancestors: models joined by +, the generations of one by >, ' +
        'oldest first, as in "llama3.1>apache-2.0+mit". A licence is an identifier of the Hub, other:NAME or unknown.',
    )
    .argument('<inputs...>', 'models; quote the signs')
    .option('--commercial', 'it shall earn money')
    .option('--json', 'answer as JSON')
    .action((inputs: string[], options: LicenceOptions) =>
      runCommand(async () => (await import('./licence.js')).licence(inputs, options)),
    );
  program
    .command('keys')
    .description('API keys of the service')
    .command('new')
    .description('Makes a key, and the entry for AMALGAM_API_KEYS that allows it.')
    .argument('<name>', 'whose key it is')
    .option('--json', 'answer as JSON')
    .action((name: string, options: { json?: boolean }) =>
      runCommand(async () => (await import('./keys.js')).newKey(name, options)),
    );
}

function addMerge(program: Command): void {
  const command = addPlanOptions(
    program
      .command('merge')
      .summary('merge directories into a directory')
      .description(
        'Carries a recipe out, without a service. Model paths are directories, relative to the working directory.',
      )
      .argument('<recipe>', 'YAML file')
      .argument('<out>', 'directory of the result; it appears when it is complete'),
  )
    .option('--overwrite', 'replace a model that is in OUT, once the new one is complete')
    .option('--digests', 'take the SHA-256 of the weights while they are written (the default)')
    .option('--no-digests', 'leave the weights out of the card’s list of digests')
    .option('--fsync', 'wait until the disk has everything (the default)')
    .option('--no-fsync', 'leave writing to the disk to the system')
    .option('--write-model-card', 'write README.md and amalgam-recipe.yaml (the default)')
    .option('--no-write-model-card', 'write neither README.md nor amalgam-recipe.yaml')
    .addOption(
      new Option(
        '--io-chunk-bytes <bytes>',
        'bytes that are read from an input at a time (no effect on the result)',
      ).argParser(integer(1, 2 ** 30)),
    )
    .option('-v, --verbose', 'say more; twice: every tensor', count, 0)
    .option('--quiet', 'only warnings and errors')
    .addOption(new Option('--no-quiet').hideHelp())
    .option('--json', 'answer as JSON')
    .addHelpText('after', '\nFlags of mergekit-yaml that have no effect here are taken with a warning.\n');
  const flags = addMergekitFlags(command);
  command.action((path: string, out: string, options: MergeOptions) =>
    runWithRecipe(path, async (recipe) => {
      if (flags.refusals.length > 0) throw new UsageError(flags.refusals.join('\n'));
      for (const warning of flags.warnings) process.stderr.write(`warning: ${warning}\n`);
      const { merge } = await import('./merge.js');
      await merge(recipe, out, options);
    }),
  );
}

function addPlan(program: Command): void {
  addPlanOptions(
    program
      .command('plan')
      .summary('say what a merge would do and cost')
      .description('Plans a merge from the headers of its models alone: no weight is read, nothing is written.')
      .argument('<recipe>', 'YAML file'),
  )
    .option('--json', 'answer as JSON')
    .action((path: string, options: LocalPlanOptions & { json?: boolean }) =>
      runWithRecipe(path, async (recipe) => (await import('./plan.js')).plan(recipe, options)),
    );
}

function addPlanOptions(command: Command): Command {
  return command
    .option('--out-shard-size <size>', 'bytes of one output file at most, such as 500M (default: 5B)', shardSize)
    .option(
      '--random-seed <seed>',
      "seed of random masks (default: from the recipe's digest)",
      integer(0, Number.MAX_SAFE_INTEGER),
    )
    .option('--copy-tokenizer', "take over the base model's tokenizer files (the default)")
    .option('--no-copy-tokenizer', 'leave tokenizer files out')
    .option('-j, --num-threads <count>', 'threads that compute (default: one a processor)', integer(1, MOST_THREADS))
    .addOption(reportOption())
    .option('--allow-nan', 'write NaN where the merge gives it, instead of refusing')
    .option('--lenient', 'take near misses of known names as warnings');
}
