import { type Command, Option } from 'commander';
import { hubRepository, integer, modelName, reportOption, shardSize } from './arguments.js';
import { runCommand, runWithRecipe } from './run-command.js';
import { client, connect, hubToken, label, type ServiceOptions } from './service-commands.js';
import type { BackFillOptions, TriggerCreateOptions, TriggerOutput } from './trigger.js';

/** `amalgam trigger ...`: merges that every new version of a model starts. */
export function addTriggerCommands(program: Command): void {
  const trigger = program.command('trigger').summary('have a service merge every checkpoint that comes');
  addCreate(trigger);
  client(trigger.command('list').summary('list the triggers')).action((options: TriggerOutput & ServiceOptions) =>
    runCommand(async () => (await import('./trigger.js')).listTriggers(await connect(options), options)),
  );
  client(trigger.command('show').summary('show a trigger and what it started').argument('<name>')).action(
    (name: string, options: TriggerOutput & ServiceOptions) =>
      runCommand(async () => (await import('./trigger.js')).showTrigger(await connect(options), name, options)),
  );
  addBackFill(trigger);
  for (const action of ['disable', 'enable'] as const) {
    client(trigger.command(action).summary(`${action} a trigger`).argument('<name>')).action(
      (name: string, options: TriggerOutput & ServiceOptions) =>
        runCommand(async () =>
          (await import('./trigger.js')).setEnabled(await connect(options), name, action, options),
        ),
    );
  }
  client(trigger.command('delete').summary('delete a trigger; what it merged stays').argument('<name>')).action(
    (name: string, options: TriggerOutput & ServiceOptions) =>
      runCommand(async () => (await import('./trigger.js')).deleteTrigger(await connect(options), name, options)),
  );
}

function addCreate(trigger: Command): void {
  client(
    trigger
      .command('create')
      .summary('merge every new version of a model')
      .description('The recipe has $checkpoint where each new version of the watched model comes.')
      .argument('<name>')
      .argument('<recipe>', 'YAML file'),
  )
    .requiredOption('--watch <model>', 'model whose new versions are the checkpoints: namespace/name', modelName)
    .requiredOption('--output <model>', 'model that gets the results: namespace/name', modelName)
    .option('--alias <alias>', 'let this alias name the newest result')
    .option(
      '--publish <repository>',
      'publish each result on the Hub: hf:org/name; the token is HF_TOKEN',
      hubRepository,
    )
    .option('--keep-last <count>', 'older results lose their weights', integer(1, 100_000))
    .option('--disabled', 'make it, but start nothing')
    .option('--seed <seed>', 'seed of random masks', integer(0, Number.MAX_SAFE_INTEGER))
    .option('--out-shard-size <size>', 'bytes of one output file at most, such as 500M', shardSize)
    .addOption(new Option('--device <device>', 'workers that may do it').choices(['auto', 'cpu', 'gpu']))
    .option('--label <name=value...>', 'labels of the merges', label)
    .addOption(reportOption())
    .option('--allow-nan', 'write NaN where a merge gives it, instead of failing')
    .option('--lenient', 'take near misses of known names as warnings')
    .action((name: string, path: string, options: TriggerCreateOptions & ServiceOptions) =>
      runWithRecipe(path, async (recipe) => {
        const { createTrigger } = await import('./trigger.js');
        return createTrigger(await connect(options), name, recipe, options, await hubToken());
      }),
    );
}

function addBackFill(trigger: Command): void {
  const version = integer(1, 999_999_999);
  client(
    trigger
      .command('back-fill')
      .summary('merge older checkpoints')
      .description('Those that were not merged yet, or whose merge failed; the oldest first.')
      .argument('<name>'),
  )
    .option('--from <version>', 'first version of the watched model', version)
    .option('--to <version>', 'last version of it', version)
    .option('--dry-run', 'only say what would be done')
    .action((name: string, options: BackFillOptions & ServiceOptions) =>
      runCommand(async () => (await import('./trigger.js')).backFill(await connect(options), name, options)),
    );
}
