import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { environmentOf } from './environment.js';

const programs = {
  amalgam: fileURLToPath(new URL('../../dist/src/cli/amalgam.js', import.meta.url)),
  /** `npm run demo`, once it is built. */
  demo: fileURLToPath(new URL('../../dist/src/cli/demo.js', import.meta.url)),
};

export interface CommandResult {
  /** null when a signal ended it. */
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  cwd?: string;
  /** AMALGAM_... variables; nothing else of this kind is inherited. */
  settings?: Record<string, string>;
  /** What standard input has; nothing by default. */
  input?: string;
  /** Default: amalgam. */
  program?: keyof typeof programs;
}

/** A running program. */
export interface RunningCommand {
  child: ChildProcess;
  result: Promise<CommandResult>;
  /** What it has said on stderr so far. */
  stderr(): string;
}

/** Starts the built program as a process of its own. */
export function startCommand(argv: readonly string[], options: CommandOptions = {}): RunningCommand {
  const { cwd, settings = {}, program = 'amalgam', input } = options;
  const child = spawn(process.execPath, [programs[program], ...argv], {
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    env: environmentOf(settings),
    ...(cwd !== undefined && { cwd }),
  });
  child.stdin?.end(input);
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const result = once(child, 'close').then(([status]) => ({ status: status as number | null, stdout, stderr }));
  return { child, result, stderr: () => stderr };
}

export function amalgam(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  return startCommand(argv, options).result;
}

/** The result without lines of progress, which a busy machine gets to see. */
export function withoutProgress(result: CommandResult): CommandResult {
  return { ...result, stderr: result.stderr.replace(/^(?:Hashing|Sending|Fetching|Merging) \d+%.*\n/gm, '') };
}
