import { spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** A server that a test started itself, so that killing it disturbs nobody. */
export interface ChildServer {
  kill(signal: NodeJS.Signals): void;
  /** Resolves when the process is gone, not just signalled. */
  exited: Promise<unknown>;
}

export async function startServer(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  isReady: () => Promise<boolean>,
): Promise<ChildServer> {
  const child: ChildProcess = spawn(command, args, { env: { ...process.env, ...env }, stdio: 'ignore' });
  const exited = once(child, 'exit');
  let failure: Error | undefined;
  child.on('error', (error) => {
    failure = error;
  });
  const deadline = Date.now() + 30_000;
  while (!(await isReady().catch(() => false))) {
    if (failure) throw failure;
    if (child.exitCode !== null) throw new Error(`${command} ended with ${String(child.exitCode)} before it was ready`);
    if (Date.now() > deadline) throw new Error(`${command} was not ready within 30 s`);
    await sleep(20);
  }
  return { kill: (signal) => child.kill(signal), exited };
}

/** Ports that were free a moment ago; below 55,000 because SeaweedFS also takes each plus 10,000. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (!ports.includes(port) && (await isFree(port)) && (await isFree(port + 10_000))) ports.push(port);
  }
  return ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, '127.0.0.1', () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}

/** Waits for a state, never for a time. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>, seconds = 20): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`After ${String(seconds)} s still not: ${what}`);
    await sleep(10);
  }
}
