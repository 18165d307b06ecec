import { randomBytes } from 'node:crypto';
import { link, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createConnection, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';

/** What the lock file says: who holds the directory, since which start, and where they answer. */
const Holder = z.object({ pid: z.number(), token: z.string(), socket: z.string() });
type Holder = z.infer<typeof Holder>;

/** Another live process holds the data directory; the message names it. */
export class DataDirectoryInUse extends Error {
  override readonly name = 'DataDirectoryInUse';
  constructor(
    directory: string,
    readonly pid: number,
  ) {
    super(
      `The data directory ${directory} is in use by process ${String(pid)}: stop it, or set another AMALGAM_DATA_DIR.`,
    );
  }
}

export interface DataDirectoryLock {
  release(): Promise<void>;
}

/** The system accepts a connection for a live process even when it is stopped or busy; only then is waiting needed. */
const answerWithinMilliseconds = 2000;

/**
 * Takes the data directory for this process. The proof of life is a listening socket, never a pid: killed processes
 * linger as zombies and containers repeat pids, but a socket whose process is gone refuses at once.
 * @throws DataDirectoryInUse
 */
export async function lockDataDirectory(directory: string): Promise<DataDirectoryLock> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const token = randomBytes(16).toString('hex');
  const listener = await listen(directory, token);
  const own: Holder = { pid: process.pid, token, socket: listener.socket };
  const lockFile = join(directory, 'lock');
  try {
    await claim(directory, lockFile, own);
    await sweepRights(directory);
  } catch (error) {
    await listener.close();
    throw error;
  }
  const release = async () => {
    if ((await readHolder(lockFile))?.token === token) await rm(lockFile, { force: true });
    await listener.close();
  };
  return { release };
}

/**
 * Makes `name` ours. Linking fails when the name exists, so of many that start at once one gets it. A dead holder is
 * replaced only by its one heir, whose right is itself a name that is claimed: two that both saw the dead one can
 * therefore not follow each other's footsteps and remove a living lock.
 */
async function claim(directory: string, name: string, own: Holder): Promise<void> {
  for (;;) {
    if (await linkNew(directory, name, own)) return;
    const holder = await readHolder(name);
    if (!holder) continue;
    if (await isAlive(holder)) throw new DataDirectoryInUse(directory, holder.pid);
    const right = join(directory, `lock.after.${holder.token}`);
    await claim(directory, right, own);
    const unchanged = (await readHolder(name))?.token === holder.token;
    if (unchanged) await rename(await draft(directory, own), name);
    await rm(right, { force: true });
    if (!unchanged) continue;
    if (dirname(holder.socket) === directory) await rm(holder.socket, { force: true });
    return;
  }
}

async function linkNew(directory: string, name: string, own: Holder): Promise<boolean> {
  const file = await draft(directory, own);
  try {
    await link(file, name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(file, { force: true });
  }
}

/** Content goes into a file of its own first, so that nobody ever reads half a lock. */
async function draft(directory: string, own: Holder): Promise<string> {
  const file = join(directory, `lock.draft.${randomBytes(8).toString('hex')}`);
  await writeFile(file, JSON.stringify(own), { mode: 0o600 });
  return file;
}

async function readHolder(name: string): Promise<Holder | undefined> {
  const text = await readFile(name, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return Holder.parse(JSON.parse(text));
  } catch {
    // A power cut can leave an empty file; whoever wrote it is gone.
    return { pid: 0, token: 'unreadable', socket: '' };
  }
}

/** Rights that killed processes left behind: with a living holder they no longer lead anywhere. */
async function sweepRights(directory: string): Promise<void> {
  for (const file of await readdir(directory)) {
    if (file.startsWith('lock.after.')) await rm(join(directory, file), { force: true });
  }
}

function isAlive(holder: Holder): Promise<boolean> {
  return new Promise((resolve) => {
    if (holder.socket === '') {
      resolve(false);
      return;
    }
    const socket = createConnection(holder.socket);
    let answer = '';
    const settle = (alive: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(alive);
    };
    // Accepted but silent: the process is stopped or busy, and its files are as much in use as ever.
    const timer = setTimeout(settle, answerWithinMilliseconds, true);
    socket.on('data', (bytes) => (answer += bytes.toString()));
    socket.on('end', () => {
      settle(answer === '' || answer === greeting(holder.pid, holder.token));
    });
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      settle(!['ECONNREFUSED', 'ENOENT', 'ENOTDIR', 'ENOTSOCK'].includes(code ?? ''));
    });
  });
}

function greeting(pid: number, token: string): string {
  return `${String(pid)} ${token}\n`;
}

/**
 * Listens in the data directory, so that containers which share the volume but not /tmp see it too; in a private
 * folder when the path would be longer than the system allows (104 to 108 bytes) or the volume cannot hold sockets.
 */
async function listen(directory: string, token: string): Promise<{ socket: string; close(): Promise<void> }> {
  const server = createServer((connection) => {
    connection.on('error', () => undefined);
    connection.end(greeting(process.pid, token));
  });
  server.unref();
  const beside = join(directory, `lock.${token.slice(0, 16)}.socket`);
  if (Buffer.byteLength(beside) <= 100 && (await listens(server, beside))) {
    return { socket: beside, close: () => close(server, beside) };
  }
  const socket = join(await mkdtemp(join(tmpdir(), 'amalgam-')), 'lock');
  if (!(await listens(server, socket))) throw new Error(`Cannot listen on ${socket}, which guards the data directory.`);
  return { socket, close: () => close(server, dirname(socket)) };
}

function listens(server: Server, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const failed = () => {
      resolve(false);
    };
    server.once('error', failed);
    server.listen(path, () => {
      server.off('error', failed);
      resolve(true);
    });
  });
}

async function close(server: Server, path: string): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
  await rm(path, { recursive: true, force: true });
}
