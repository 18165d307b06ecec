import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePorts, startServer, type ChildServer } from './child-server.js';

export interface OwnRedis extends ChildServer {
  url: string;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** A Redis of this test's own that keeps nothing on disk: killing it loses everything, as the worst one would. */
export async function startRedis(): Promise<OwnRedis> {
  const directory = await mkdtemp(join(tmpdir(), 'redis-'));
  const [port] = (await freePorts(1)) as [number];
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--save', '', '--appendonly', 'no'];
  const start = () => startServer('redis-server', args, {}, () => answers(port));
  let server = await start();
  return {
    url: `redis://127.0.0.1:${String(port)}`,
    kill: (signal) => {
      server.kill(signal);
    },
    get exited() {
      return server.exited;
    },
    restart: async () => {
      server = await start();
    },
    stop: async () => {
      server.kill('SIGKILL');
      await server.exited;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function answers(port: number): Promise<boolean> {
  const redis = new Redis(port, '127.0.0.1', { lazyConnect: true, retryStrategy: () => null }).on(
    'error',
    () => undefined,
  );
  await redis.connect();
  try {
    await redis.ping();
    return true;
  } finally {
    redis.disconnect();
  }
}
