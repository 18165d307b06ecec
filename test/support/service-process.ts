import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { until } from './child-server.js';
import { environmentOf, noHub } from './environment.js';
import { placeFreshDatabase } from './fresh-database.js';

const main = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));

/** A real process of the built service, which a test may kill as it likes. */
export interface ServiceProcess {
  pid: number;
  /** Empty for a worker. */
  url: string;
  /** Everything it has written, for messages of failed tests. */
  log(): string;
  kill(signal: NodeJS.Signals): void;
  /** Resolves with the exit status (null when a signal ended it) when the process is gone. */
  exited: Promise<number | null>;
}

/**
 * Starts `node dist/src/main.js ROLE`; resolves when it is ready: listening, or for a worker hearing.
 * @param settings AMALGAM_... variables; nothing else of this kind is inherited
 */
export async function startService(
  settings: Record<string, string>,
  role: 'all' | 'api' | 'worker' = 'all',
): Promise<ServiceProcess> {
  const { AMALGAM_DATA_DIR: directory, AMALGAM_DATABASE_URL: server } = settings;
  if (directory !== undefined && server === undefined) await placeFreshDatabase(directory);
  const child: ChildProcess = spawn(process.execPath, [main, role], {
    env: environmentOf({ AMALGAM_PORT: '0', AMALGAM_SAMPLES: 'false', ...noHub, ...settings }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  const ready = role === 'worker' ? /"msg":"working"/ : /"msg":"listening on (http:[^",]+)/;
  let isGone = false;
  void exited.then(() => (isGone = true));
  await until(
    `${role} is ready`,
    () => {
      if (isGone) throw new Error(`the service ended before it was ready:\n${log}`);
      return ready.test(log);
    },
    60,
  );
  const url = ready.exec(log)?.[1] ?? '';
  return { pid: child.pid ?? 0, url, log: () => log, kill: (signal) => child.kill(signal), exited };
}
