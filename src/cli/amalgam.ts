#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { packageVersion } from '../package-root.js';
import { addHubTokenCommands } from './hub-token-commands.js';
import { addLocalCommands } from './local-commands.js';
import { USAGE_STATUS } from './run-command.js';
import { addServiceCommands } from './service-commands.js';
import { addTriggerCommands } from './trigger-commands.js';

const program = new Command('amalgam')
  .description('Merges language models: MergeKit recipes in, reproducible and documented models out.')
  .version(packageVersion, '-V, --version')
  .showHelpAfterError('(--help lists what there is)')
  .exitOverride();
addLocalCommands(program);
addServiceCommands(program);
addTriggerCommands(program);
addHubTokenCommands(program);

// `| head` closes stdout early; that is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : USAGE_STATUS;
}
