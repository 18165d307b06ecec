import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { loadHubToken } from '../config.js';
import { ApiClient } from './api-client.js';
import { type DemoHub, openDemoHub } from './demo-hub.js';
import { DemoScreen } from './demo-screen.js';
import { DemoService } from './demo-service.js';
import { DemoTour } from './demo-tour.js';
import { describeError } from './describe-error.js';
import { Failure, UsageError } from './failure.js';
import { USAGE_STATUS } from './run-command.js';
import { type Cancellation, cancelOnSignals } from './signals.js';

/** Where `amalgam serve` listens. */
const USUAL_PORT = 8080;

const screen = new DemoScreen(process.stdout);

interface DemoOptions {
  once?: true;
  data?: string;
  hub?: string;
}

/** `npm run demo`: a service, its samples, three merges. @returns the status of the process */
async function demonstrate(options: DemoOptions): Promise<number> {
  const isFresh = options.data === undefined;
  const folder = isFresh ? await mkdtemp(join(tmpdir(), 'amalgam-demo-')) : resolve(options.data ?? '');
  const data = join(folder, 'data');
  const results = join(folder, 'models');
  const cancellation = cancelOnSignals();
  screen.write(`${screen.bold('Amalgam')} merges language models. Everything below really happens, in ${folder}\n`);
  screen.write(`\nStarting a service${existsSync(data) ? '' : ' (the first time takes some seconds)'} ... `);
  let service: DemoService | undefined;
  try {
    const hub = await findHub(options.hub);
    const log = join(folder, 'service.log');
    const settings: Record<string, string> = hub === undefined ? {} : { AMALGAM_HUB_URL: hub.url };
    service = await DemoService.start(
      { dataDirectory: data, log, usualPort: USUAL_PORT, settings },
      cancellation.signal,
    );
    screen.write(`it listens on ${screen.bold(service.url)}\n`);
    const tour = new DemoTour(new ApiClient(service.url, undefined), screen, results, cancellation.signal);
    const last = await tour.run(hub);
    const stays = options.once !== true;
    if (last !== undefined) tour.showWays(last, stays);
    if (stays) await untilStopped(service, cancellation.signal);
    return 0;
  } catch (error) {
    if (cancellation.exitCode !== undefined) return cancellation.exitCode;
    const isUsage = error instanceof UsageError;
    process.stderr.write(`\n${isUsage ? `error: ${error.message}` : describeError(error)}\n`);
    return isUsage ? USAGE_STATUS : 1;
  } finally {
    await service?.stop();
    if (isFresh) await rm(leftovers(folder, data, results, cancellation), { recursive: true, force: true });
    screen.write(existsSync(results) ? `\nThe merged models stay in ${results}\n` : '\n');
  }
}

/** @throws UsageError, Failure */
async function findHub(url: string | undefined): Promise<DemoHub | undefined> {
  if (url === undefined) return undefined;
  const token = loadHubToken();
  if (token === undefined) throw new UsageError('--hub needs a token that may write, in HF_TOKEN');
  return openDemoHub(url, token);
}

/** What takes space and is of no use any more: without the service its data, after an early Ctrl-C everything. */
function leftovers(folder: string, data: string, results: string, { exitCode }: Cancellation): string {
  return exitCode !== undefined && !existsSync(results) ? folder : data;
}

async function untilStopped(service: DemoService, signal: AbortSignal): Promise<void> {
  screen.write('\nCtrl-C ends the demonstration.\n');
  const stopped = new Promise((done) => signal.addEventListener('abort', done));
  if (!signal.aborted) await Promise.race([stopped, service.ended]);
  if (!signal.aborted) throw new Failure('service_ended', `the service ended; its log is ${service.log}`);
}

// `| head` closes stdout early; the service must be stopped all the same, and every further line fails again.
process.stdout.once('error', () => process.kill(process.pid, 'SIGTERM')).on('error', () => undefined);
await new Command('npm run demo --')
  .description('Starts a service with the sample models, merges them three times through its API, shows the results.')
  .option('--once', 'end by itself; without, the service stays up until Ctrl-C')
  .option('--hub <url>', 'also publish the result there and import it again, with the token in HF_TOKEN')
  .option('--data <dir>', 'keep everything in this folder; without, a fresh one each time')
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : USAGE_STATUS))
  .action(async (options: DemoOptions) => {
    process.exitCode = await demonstrate(options);
  })
  .parseAsync();
