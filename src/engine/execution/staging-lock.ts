import { readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { EngineError } from '../errors.js';

/** Who works in a staging folder. */
interface Holder {
  pid: number;
  /** Start of the process in clock ticks: pids come again. Empty where the system does not tell. */
  started: string;
  host: string;
  boot: string;
}

interface FoundLock {
  text: string;
  holder: Holder | undefined;
  ageMilliseconds: number;
}

const HEARTBEAT_MILLISECONDS = 5_000;
/** Of a process on another machine (or in another container) only the heartbeat can be seen. */
const SILENT_MILLISECONDS = 20_000;

/** Keeps two processes out of one staging folder: they would write the same files at the same time. */
export class StagingLock {
  private readonly heartbeat: NodeJS.Timeout;

  private constructor(
    private readonly path: string,
    /** The process before this one was killed since the machine started: the page cache still has all that it wrote. */
    readonly isAfterKill: boolean,
  ) {
    this.heartbeat = setInterval(() => {
      const now = new Date();
      utimes(path, now, now).catch(() => undefined);
    }, HEARTBEAT_MILLISECONDS);
    this.heartbeat.unref();
  }

  /** @throws EngineError output_busy while another process holds it */
  static async take(path: string): Promise<StagingLock> {
    const mine: Holder = { pid: process.pid, started: startOf(process.pid) ?? '', host: hostname(), boot: bootId() };
    let isAfterKill = false;
    for (;;) {
      try {
        await writeFile(path, JSON.stringify(mine), { flag: 'wx' });
        return new StagingLock(path, isAfterKill);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const found = await readLock(path);
      if (found === undefined) continue;
      if (isAlive(found, mine)) throw busy(path, found.holder);
      await removeStale(path, found);
      isAfterKill = found.holder?.host === mine.host && found.holder.boot === mine.boot && mine.boot !== '';
    }
  }

  /** Whether some living process holds the lock. */
  static async isHeld(path: string): Promise<boolean> {
    const found = await readLock(path);
    return found !== undefined && isAlive(found, { host: hostname(), boot: bootId() });
  }

  async release(): Promise<void> {
    clearInterval(this.heartbeat);
    await rm(this.path, { force: true });
  }
}

async function readLock(path: string): Promise<FoundLock | undefined> {
  try {
    const text = await readFile(path, 'utf8');
    const { mtimeMs } = await stat(path);
    return { text, holder: parseHolder(text), ageMilliseconds: Date.now() - mtimeMs };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function parseHolder(text: string): Holder | undefined {
  try {
    const { pid, started, host, boot } = JSON.parse(text) as Partial<Record<keyof Holder, unknown>>;
    if (typeof pid !== 'number' || typeof started !== 'string') return undefined;
    return typeof host === 'string' && typeof boot === 'string' ? { pid, started, host, boot } : undefined;
  } catch {
    return undefined;
  }
}

function isAlive({ holder, ageMilliseconds }: FoundLock, here: Pick<Holder, 'host' | 'boot'>): boolean {
  if (holder?.host !== here.host) return ageMilliseconds < SILENT_MILLISECONDS;
  if (holder.boot !== here.boot) return false;
  const started = startOf(holder.pid);
  return started !== undefined && started === holder.started;
}

/** Two processes may find the same dead lock: the one whose rename moved it away goes on. */
async function removeStale(path: string, judged: FoundLock): Promise<void> {
  const aside = `${path}.${process.pid}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const moved = await readFile(aside, 'utf8');
  if (moved === judged.text) return rm(aside, { force: true });
  await rename(aside, path);
  throw busy(path, parseHolder(moved));
}

/** Undefined when there is no such process, or only its zombie. */
function startOf(pid: number): string | undefined {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name before the last parenthesis may contain anything.
    const [state, ...fields] = line.slice(line.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' || state === 'X' ? undefined : fields[18];
  } catch {
    if (process.platform === 'linux') return undefined;
  }
  try {
    process.kill(pid, 0);
    return '';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? '' : undefined;
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

function busy(path: string, holder: Holder | undefined): EngineError {
  const who = holder === undefined ? 'another process' : `process ${holder.pid} on ${holder.host}`;
  return new EngineError('output_busy', `${who} is carrying out the same merge into the same place (${path})`);
}
