import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { environmentWithoutSettings } from '../config.js';
import { Failure } from './failure.js';

const program = fileURLToPath(new URL('./amalgam.js', import.meta.url));
const announcement = /Amalgam listens on (http:\/\/[^;\s]+)/;
/** Lines of the log that are shown when the service does not start. */
const TAIL_LINES = 15;

export interface DemoServiceOptions {
  dataDirectory: string;
  log: string;
  usualPort: number;
  /** AMALGAM_... variables. */
  settings: Record<string, string>;
}

/** A service that runs as a process of its own, as a user would start it. */
export class DemoService {
  private constructor(
    readonly url: string,
    /** File with everything that it writes. */
    readonly log: string,
    private readonly child: ChildProcess,
    /** Resolves when the process is gone. */
    readonly ended: Promise<unknown>,
  ) {}

  /**
   * Starts it on the usual port, or on a free one when that is taken.
   * @param settings of its own
   * @param signal stops it, ready or not
   * @throws Failure
   */
  static async start(
    { dataDirectory, log, usualPort, settings }: DemoServiceOptions,
    signal: AbortSignal,
  ): Promise<DemoService> {
    await mkdir(dirname(log), { recursive: true });
    const port = (await isFree(usualPort)) ? usualPort : 0;
    const child = spawn(process.execPath, [program, 'serve', '--data', dataDirectory, '--port', String(port)], {
      // Settings of another service on this machine are not meant for this one.
      env: { ...environmentWithoutSettings(), ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = once(child, 'exit');
    const stop = (): void => void child.kill('SIGTERM');
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
    // A second Ctrl-C ends this process at once, but not without the other.
    process.once('exit', stop);
    const file = createWriteStream(log);
    child.stdout.pipe(file, { end: false });
    child.stderr.pipe(file, { end: false });
    const url = await Promise.race([announcedBy(child.stderr), ended.then(() => undefined)]);
    if (url !== undefined) return new DemoService(url, log, child, ended);
    const lines = (await readFile(log, 'utf8')).trimEnd().split('\n').slice(-TAIL_LINES);
    throw new Failure('service_not_started', `the service ended before it was ready:\n${lines.join('\n')}`);
  }

  async stop(): Promise<void> {
    this.child.kill('SIGTERM');
    await this.ended;
  }
}

async function announcedBy(stderr: AsyncIterable<Buffer> & NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    stderr.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const [, url] = announcement.exec(text) ?? [];
      if (url !== undefined) resolve(url);
    });
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
