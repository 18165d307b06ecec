import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Fault {
  /** METHOD /path as a regular expression. */
  match: string;
  skip?: number;
  times?: number;
  action: 'status' | 'drop' | 'drop-answer' | 'cut' | 'delay' | 'hang';
  status?: number;
  headers?: Record<string, string>;
  message?: string;
  bytes?: number;
  ms?: number;
}

export interface HubFileState {
  text?: string;
  lfs?: { oid: string; size: number };
}

export interface HubRepo {
  id: string;
  visibility: string;
  gated: false | string;
  branches: Record<string, string>;
  tags: Record<string, string>;
  commits: Record<string, { oid: string; title: string; parent?: string; files: Record<string, HubFileState> }>;
  pullRequests: number[];
}

export interface HubRequestRecord {
  at: string;
  bytesIn: number;
  bytesOut: number;
  status: number;
  fault?: string;
}

export interface HubState {
  repos: Record<string, HubRepo>;
  uploads: Record<string, unknown>;
  objects: string[];
  requests: HubRequestRecord[];
}

export const writeToken = 'hf_write';
export const readToken = 'hf_read';

/** The strict stand-in for the Hub, as a process of this test's own. */
export interface FakeHub {
  url: string;
  /** Where it keeps what it stores. */
  directory: string;
  control(body: object): Promise<void>;
  /** Forgets everything, stored objects too. */
  reset(): Promise<void>;
  configure(config: { faults?: Fault[]; [name: string]: unknown }): Promise<void>;
  state(): Promise<HubState>;
  /** Bytes of a file as anybody may download them. */
  read(repository: string, revision: string, path: string): Promise<Buffer>;
  /** Flips a bit of a stored object; doing it again repairs it. */
  corrupt(oid: string, offset: number): Promise<void>;
  stop(): Promise<void>;
}

/** @param folder of the stand-in, as `describeWithShared('fakehub', ...)` gives it */
export async function startFakeHub(folder: string): Promise<FakeHub> {
  const directory = mkdtempSync(join(tmpdir(), 'fake-hub-'));
  const child = spawn(process.execPath, [join(folder, 'hub.mjs'), '--dir', directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const { url } = JSON.parse(line) as { url: string };
  const control = async (body: object): Promise<void> => {
    const answer = await fetch(`${url}/__control`, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  };
  return {
    url,
    directory,
    control,
    reset: async () => {
      await control({ reset: true });
      const objects = join(directory, 'objects');
      for (const name of readdirSync(objects)) rmSync(join(objects, name));
    },
    configure: (config) => control({ config }),
    state: async () => (await (await fetch(`${url}/__state`)).json()) as HubState,
    read: async (repository, revision, path) => {
      const answer = await fetch(`${url}/${repository}/resolve/${encodeURIComponent(revision)}/${path}`, {
        headers: { authorization: `Bearer ${writeToken}` },
      });
      if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
      return Buffer.from(await answer.arrayBuffer());
    },
    corrupt: async (oid, offset) => {
      const file = await open(join(directory, 'objects', oid), 'r+');
      try {
        const byte = Buffer.alloc(1);
        await file.read(byte, 0, 1, offset);
        await file.write(Buffer.from([(byte[0] ?? 0) ^ 1]), 0, 1, offset);
      } finally {
        await file.close();
      }
    },
    stop: async () => {
      child.kill('SIGKILL');
      await exited;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
