import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, until } from './child-server.js';
import { type FakeHub, type Fault, startFakeHub } from './fake-hub.js';
import { HttpClient } from './http-client.js';
import type { Random } from './random.js';
import { startService } from './service-process.js';

/** A Hub on which things go wrong, and a service on the embedded home that is killed now and then. */
export interface FaultyHome {
  hub: FakeHub;
  /** Stays the same when the service is killed: it comes back on the same port. */
  client: HttpClient;
  /** kill -9, and a new process on the same data. */
  crash(): Promise<void>;
  stop(): Promise<void>;
}

/** @param folder of the stand-in, as `describeWithShared('fakehub', ...)` gives it */
export async function startFaultyHome(folder: string): Promise<FaultyHome> {
  const directory = await mkdtemp(join(tmpdir(), 'amalgam-faults-'));
  const hub = await startFakeHub(folder);
  const [port] = (await freePorts(1)) as [number];
  const settings = { AMALGAM_DATA_DIR: directory, AMALGAM_HUB_URL: hub.url, AMALGAM_PORT: String(port) };
  let service = await startService(settings);
  const kill = async (): Promise<void> => {
    service.kill('SIGKILL');
    await service.exited;
  };
  return {
    hub,
    client: new HttpClient(service.url),
    crash: async () => {
      await kill();
      service = await startService(settings);
    },
    stop: async () => {
      await kill();
      await hub.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** One to four of them, each a little later than usual, and once or twice. */
export function drawFaults(random: Random, faults: Record<string, Fault>): Fault[] {
  return Array.from({ length: random.integer(1, 4) }, (): Fault => {
    const [, fault] = random.pick(Object.entries(faults));
    return { ...fault, skip: (fault.skip ?? 0) + random.integer(0, 2), times: random.integer(1, 2) };
  });
}

/**
 * Kills the service in one run of four, once or twice, each time after another few requests to the Hub, if the job lasts
 * so long.
 * @param before is called at once before each kill
 * @returns how often it did
 */
export async function crashByChance(
  home: FaultyHome,
  random: Random,
  hasEnded: () => Promise<boolean>,
  before: () => Promise<void> = () => Promise.resolve(),
): Promise<number> {
  const wanted = random.chance(0.25) ? random.integer(1, 2) : 0;
  const asked = async (): Promise<number> => (await home.hub.state()).requests.length;
  for (let crashes = 0; crashes < wanted; crashes += 1) {
    const enough = (await asked()) + random.integer(1, 25);
    const what = `the Hub was asked ${enough} times`;
    await until(what, async () => (await asked()) >= enough || (await hasEnded()), 120);
    if (await hasEnded()) return crashes;
    await before();
    await home.crash();
  }
  return wanted;
}
