import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs, styleText } from 'node:util';
import { ApiClient } from './api-client.js';
import { describeError } from './describe-error.js';
import { DemoService } from './demo-service.js';
import { DemoTour } from './demo-tour.js';
import { cancelOnSignals } from './signals.js';

/** Where `amalgam serve` listens. */
const USUAL_PORT = 8080;

const write = (text: string): void => void process.stdout.write(text);
const bold = (text: string): string => (process.stdout.isTTY ? styleText('bold', text) : text);

/** `npm run demo [-- --once] [--data DIR]`: a service, its samples, three merges. Stays until Ctrl-C without --once. */
async function main(): Promise<number> {
  const { values } = parseArgs({ options: { once: { type: 'boolean' }, data: { type: 'string' } } });
  const folder = values.data === undefined ? await mkdtemp(join(tmpdir(), 'amalgam-demo-')) : resolve(values.data);
  const data = join(folder, 'data');
  const results = join(folder, 'models');
  const cancellation = cancelOnSignals();
  write(`${bold('Amalgam')} merges language models. Everything below really happens, in ${folder}\n`);
  write(`\nStarting a service${existsSync(data) ? '' : ' (the first time takes some seconds)'} ... `);
  let service: DemoService | undefined;
  try {
    service = await DemoService.start(data, join(folder, 'service.log'), USUAL_PORT);
    write(`it listens on ${bold(service.url)}\n`);
    await new DemoTour(new ApiClient(service.url, undefined), results, write, bold, cancellation.signal).run();
    if (values.once !== true) await untilStopped(service, cancellation.signal);
    return 0;
  } catch (error) {
    if (cancellation.exitCode !== undefined) return cancellation.exitCode;
    process.stderr.write(`\n${describeError(error)}\n`);
    return 1;
  } finally {
    await service?.stop();
    // What takes space and is of no use without the service; the merged models stay.
    if (values.data === undefined) await rm(data, { recursive: true, force: true });
    write(existsSync(results) ? `\nThe merged models stay in ${results}\n` : '\n');
  }
}

async function untilStopped(service: DemoService, signal: AbortSignal): Promise<void> {
  write('\nCtrl-C ends the demonstration.\n');
  const stopped = new Promise((done) => signal.addEventListener('abort', done));
  // A terminal sends Ctrl-C to the service as well.
  if (!signal.aborted) await Promise.race([stopped, service.ended]);
}

// `| head` closes stdout early; the service must be stopped all the same.
process.stdout.on('error', () => process.kill(process.pid, 'SIGTERM'));
process.exitCode = await main();
