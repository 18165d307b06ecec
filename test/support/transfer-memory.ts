import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWith } from './environment.js';
import { type FakeHub, startFakeHub, writeToken } from './fake-hub.js';
import { HttpClient } from './http-client.js';
import { endOfImport, submitImport } from './imports.js';
import { fillWithLargeFile } from './large-repository.js';
import { startProductionHome } from './production-home.js';
import { endOf, submitPublication } from './publishing.js';
import { type ServiceProcess, startService } from './service-process.js';

const MEGABYTE = 1e6;
/** What a file of any size may cost on the production home: all of the worker, idle and at work. */
const workerBytes = 250 * MEGABYTE;
/** On the embedded home, which has the database in the same process: what it may grow by. */
const growthBytes = 120 * MEGABYTE;
/** The Hub's own parts are this large for such files. */
const hubPartBytes = 16e6;

interface Home {
  settings: Record<string, string>;
  stop(): Promise<void>;
}

type Roles = readonly ['all'] | readonly ['api', 'worker'];

/** Resident memory of a process, in bytes: now, and at most since it started or since `forgetPeak`. */
function memoryOf(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const read = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
  return { now: read('VmRSS'), peak: read('VmHWM') };
}

function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/** Imports and publishes one file of so many bytes on each home; the memory of the process does not grow with it. */
export function itMovesLargeFilesInLittleMemory(folder: string, bytes: number): void {
  const size = `${bytes / 1e9} GB`;
  const check = (
    what: string,
    roles: Roles,
    start: () => Promise<Home>,
    isWithin: (idle: number, peak: number) => void,
  ): void => {
    describe(`a file of ${size} on the ${what} home`, () => {
      let hub: FakeHub;
      let home: Home;
      let directory: string;
      let processes: ServiceProcess[];
      let client: HttpClient;

      const measured = async (name: string, work: () => Promise<void>): Promise<void> => {
        // The last one works: alone, or beside the one that answers.
        const pid = processes.at(-1)?.pid ?? 0;
        forgetPeak(pid);
        const idle = memoryOf(pid).now;
        await work();
        const { peak } = memoryOf(pid);
        process.stderr.write(
          `${name} of ${size}, ${what} home: ${[idle, peak].map((each) => (each / MEGABYTE).toFixed(0)).join(' to ')} MB\n`,
        );
        isWithin(idle, peak);
      };

      beforeAll(async () => {
        directory = await mkdtemp(join(tmpdir(), 'amalgam-large-'));
        [hub, home] = await Promise.all([startFakeHub(folder), start()]);
        processes = [];
        for (const role of roles) {
          const own = { AMALGAM_DATA_DIR: join(directory, role), AMALGAM_HUB_URL: hub.url };
          processes.push(await startService({ ...home.settings, ...own }, role));
        }
        client = new HttpClient(processes[0]?.url ?? '');
      }, 120_000);
      afterAll(async () => {
        for (const each of processes) each.kill('SIGTERM');
        await Promise.all(processes.map(({ exited }) => exited));
        await Promise.all([home.stop(), hub.stop()]);
        await rm(directory, { recursive: true, force: true });
      }, 60_000);

      test('is imported', async () => {
        const sha256 = await fillWithLargeFile(hub, 'acme/large', bytes);
        await measured('import', async () => {
          const id = await submitImport(client, { source: 'hf:acme/large', model: 'in/large' });
          expect((await endOfImport(client, id, 1_800)).body).toMatchObject({ state: 'succeeded' });
        });
        const { body } = await client.get('/v1/models/in/large/versions/1');
        const files = body['files'] as { path: string; sha256: string; bytes: number }[];
        expect(files.find(({ path }) => path === 'model.safetensors')).toMatchObject({ sha256 });
        expect(Math.max(...files.map((file) => file.bytes))).toBeGreaterThanOrEqual(bytes);
      });

      test('is published', async () => {
        // A Hub that has nothing of it: everything is sent.
        await hub.reset();
        await hub.configure({ chunkBytes: hubPartBytes });
        await measured('publication', async () => {
          const request = { version: 'in/large@1', repository: 'hf:acme/copy' };
          const id = await submitPublication(client, request, writeToken);
          expect((await endOf(client, id, 1_800)).body).toMatchObject({ state: 'succeeded' });
        });
        const { requests } = await hub.state();
        const parts = requests.filter(({ at, status }) => at.startsWith('PUT /cdn/part/') && status === 200);
        expect(parts.reduce((sum, { bytesIn }) => sum + bytesIn, 0)).toBeGreaterThanOrEqual(bytes);
      });
    });
  };

  check(
    'embedded',
    ['all'],
    () => Promise.resolve({ settings: {}, stop: () => Promise.resolve() }),
    (idle, peak) => expect(peak - idle).toBeLessThanOrEqual(growthBytes),
  );
  describeWith(['database', 's3'], 'with servers', () => {
    check('production', ['api', 'worker'], startProductionHome, (_idle, peak) =>
      expect(peak).toBeLessThanOrEqual(workerBytes),
    );
  });
}
