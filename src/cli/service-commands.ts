import { type Command, InvalidArgumentError, Option } from 'commander';
import { hubRepository, integer, licence, modelName, modelReference, reportOption, shardSize } from './arguments.js';
import type { PublishOptions } from './publish.js';
import type { PullOptions } from './pull.js';
import type { ImportOptions } from './import.js';
import type { PushOptions } from './push.js';
import { runCommand, runWithRecipe } from './run-command.js';
import type { ServeOptions } from './serve.js';
import type { SubmitOptions } from './submit.js';
import type { WatchOptions } from './watch.js';

export interface ServiceOptions {
  url?: string;
  key?: string;
}

/** The commands that are a client of a service, and the one that is the service. */
export function addServiceCommands(program: Command): void {
  addServe(program);
  addSubmit(program);
  addTransfers(program);
  addPublish(program);
  client(
    program
      .command('watch')
      .summary('follow a merge of a service')
      .description('Follows a merge until it ends. Status: 0 succeeded, 1 failed, 3 cancelled.')
      .argument('<merge>', 'id of the merge'),
  ).action((id: string, options: WatchOptions & ServiceOptions) =>
    runCommand(async () => (await import('./watch.js')).watch(await connect(options), id, options)),
  );
}

function addServe(program: Command): void {
  program
    .command('serve')
    .summary('run the service')
    .description(
      'Runs the service in this process. Every other setting is a variable AMALGAM_...; see the documentation.',
    )
    .option('--port <port>', 'port to listen on; 0 takes a free one (default: 8080)', integer(0, 65_535))
    .option('--host <address>', 'address to listen on; another than loopback needs API keys (default: 127.0.0.1)')
    .option('--data <directory>', 'database, objects and caches (default: ./data)')
    .option('--no-samples', 'do not register the sample models in an empty service')
    .action((options: ServeOptions) => runCommand(async () => (await import('./serve.js')).serve(options)));
}

function addSubmit(program: Command): void {
  client(
    program
      .command('submit')
      .summary('have a service merge')
      .description(
        'Sends a recipe to a service. Its models are the registry’s (team/model, team/model@3, team/model@alias) or the ' +
          'Hub’s (hf:org/name@revision); a bare org/name means the registry, then the Hub. The token of the Hub is HF_TOKEN.',
      )
      .argument('<recipe>', 'YAML file')
      .argument('<output>', 'model that gets the result as its next version: namespace/name', modelName),
  )
    .option('--alias <alias>', 'let this alias name the new version')
    .option('--wait', 'follow the merge until it ends; status as of watch')
    .option(
      '--seed <seed>',
      "seed of random masks (default: from the recipe's digest)",
      integer(0, Number.MAX_SAFE_INTEGER),
    )
    .option('--out-shard-size <size>', 'bytes of one output file at most, such as 500M', shardSize)
    .addOption(new Option('--device <device>', 'workers that may do it').choices(['auto', 'cpu', 'gpu']))
    .option('--label <name=value...>', 'labels of your own', label)
    .addOption(reportOption())
    .option(
      '--publish <repository>',
      'publish the result on the Hub: hf:org/name; the token is HF_TOKEN',
      hubRepository,
    )
    .option('--keep-stages', 'keep the weights of what a recipe with several documents merges first')
    .option('--allow-nan', 'write NaN where the merge gives it, instead of failing')
    .option('--lenient', 'take near misses of known names as warnings')
    .action((path: string, output: string, options: SubmitOptions & ServiceOptions) =>
      runWithRecipe(path, async (recipe) => {
        const { submit } = await import('./submit.js');
        return submit(await connect(options), recipe, output, options, await hubToken());
      }),
    );
}

function addTransfers(program: Command): void {
  client(
    program
      .command('push')
      .summary('make a directory, or a model of the Hub or of a bucket, a version of a model of a service')
      .description(
        'Sends what the service has not got, each file with its SHA-256. The model is made when it is missing. ' +
          'hf:org/name is fetched by the service itself, with the token in HF_TOKEN where one is needed; s3://bucket/prefix ' +
          'too, where the service may read it.',
      )
      .argument('<source>', 'directory, hf:org/name, hf:org/name@revision or s3://bucket/prefix')
      .argument('<model>', 'namespace/name', modelName),
  )
    .option('--alias <alias>', 'let this alias name the new version')
    .option('--licence <id>', 'licence of the model, where its files do not say: apache-2.0, other:NAME', licence)
    .option('--reference', 'of s3://: leave the weights where they are, and only read them')
    .option('--upload <id>', 'go on with the upload that an earlier attempt left open')
    .action((source: string, name: string, options: PushOptions & ImportOptions & ServiceOptions) =>
      runCommand(async () => {
        const service = await connect(options);
        if (!/^(?:hf:|s3:)/.test(source)) return (await import('./push.js')).push(service, source, name, options);
        return (await import('./import.js')).importModel(service, source, name, options, await hubToken());
      }),
    );
  client(
    program
      .command('pull')
      .summary('fetch a version of a model from a service')
      .description('The directory appears when every file is there with its SHA-256; what breaks off is resumed.')
      .argument('<version>', 'namespace/name@version or namespace/name@alias (default: @latest)', modelReference)
      .argument('<directory>'),
  )
    .option('--overwrite', 'replace a model that is in the directory, once the new one is complete')
    .action((reference: string, directory: string, options: PullOptions & ServiceOptions) =>
      runCommand(async () => (await import('./pull.js')).pull(await connect(options), reference, directory, options)),
    );
}

function addPublish(program: Command): void {
  client(
    program
      .command('publish')
      .summary('have a service publish a version on the Hub')
      .description(
        'The service sends the version to the Hugging Face Hub, with the token in HF_TOKEN. Status with --wait: ' +
          '0 succeeded, 1 failed, 3 cancelled; with --dry-run 1 when a licence stands in the way.',
      )
      .argument('<version>', 'namespace/name@version or namespace/name@alias', modelReference)
      .argument('<repository>', 'hf:org/name; it is made when it does not exist', hubRepository),
  )
    .option('--wait', 'follow the publication until it ends')
    .option('--dry-run', 'only say what would be done')
    .option('--revision <branch>', 'branch; it is made from main when it does not exist (default: main)')
    .addOption(new Option('--private', 'make the repository private').conflicts('public'))
    .option('--public', 'make the repository public, also one that exists')
    .addOption(new Option('--gated <mode>', 'whether people must ask for access').choices(['off', 'auto', 'manual']))
    .option('--pr', 'open a pull request instead of writing to the branch')
    .option('--tag <tag>', 'also tag the commit')
    .action((version: string, repository: string, options: PublishOptions & ServiceOptions) =>
      runCommand(async () =>
        (await import('./publish.js')).publish(
          ...([await connect(options), version, repository, options, await hubToken()] as const),
        ),
      ),
    );
}

/** The options of every command that speaks to a service. */
export function client(command: Command): Command {
  return command
    .option('--url <url>', 'base URL of the service (default: AMALGAM_URL, else http://127.0.0.1:8080)')
    .option('--key <key>', 'API key (default: AMALGAM_KEY, which does not show in process lists)')
    .option('--quiet', 'only warnings, errors and --json')
    .option('--json', 'answer as JSON');
}

export async function connect({ url, key }: ServiceOptions) {
  const [{ ApiClient }, { loadClientConfigOrExit }] = await Promise.all([
    import('./api-client.js'),
    import('../config.js'),
  ]);
  const settings = loadClientConfigOrExit({
    ...(url !== undefined && { AMALGAM_URL: url }),
    ...(key !== undefined && { AMALGAM_KEY: key }),
  });
  return new ApiClient(settings.url, settings.key);
}

/** Never an option, which would show in process lists. */
export async function hubToken(): Promise<string | undefined> {
  return (await import('../config.js')).loadHubToken();
}

export function label(text: string, before: readonly string[] = []): string[] {
  if (/^[A-Za-z][A-Za-z0-9._-]{0,62}=[^,]{0,200}$/.test(text)) return [...before, text];
  throw new InvalidArgumentError('A label is name=value, without commas.');
}
