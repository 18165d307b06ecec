import type { Command } from 'commander';
import { namespaceName } from './arguments.js';
import type { HubTokenOutput } from './hub-token.js';
import { runCommand } from './run-command.js';
import { client, connect, hubToken, type ServiceOptions } from './service-commands.js';

/** `amalgam hub-token ...`: what a service speaks to the Hub with for a namespace. */
export function addHubTokenCommands(program: Command): void {
  const command = program.command('hub-token').summary('give the namespaces of a service tokens of the Hub');
  client(
    command
      .command('set')
      .summary('set or replace the token of a namespace')
      .description(
        'What is imported into the namespace and published from it without a token of its own uses this one. The token ' +
          'is HF_TOKEN, else what standard input has; the service encrypts it, and never shows it.',
      )
      .argument('<namespace>', 'the part of a model’s name before the slash', namespaceName),
  ).action((namespace: string, options: HubTokenOutput & ServiceOptions) =>
    runCommand(async () =>
      (await import('./hub-token.js')).setHubToken(
        ...([await connect(options), namespace, options, await hubToken()] as const),
      ),
    ),
  );
  client(command.command('list').summary('list the namespaces that have a token, and who set it')).action(
    (options: HubTokenOutput & ServiceOptions) =>
      runCommand(async () => (await import('./hub-token.js')).listHubTokens(await connect(options), options)),
  );
  client(
    command
      .command('remove')
      .summary('remove the token of a namespace')
      .argument('<namespace>', 'the part of a model’s name before the slash', namespaceName),
  ).action((namespace: string, options: HubTokenOutput & ServiceOptions) =>
    runCommand(async () => (await import('./hub-token.js')).removeHubToken(await connect(options), namespace, options)),
  );
}
