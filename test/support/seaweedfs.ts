import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'minio';
import type { S3Config } from '../../src/config.js';
import { freePorts, startServer, type ChildServer } from './child-server.js';
import { environment } from './environment.js';

export interface SeaweedFs extends ChildServer {
  /** How a store reaches it; the bucket exists. */
  config: S3Config;
  /** Starts it again on the same files after it was killed. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** An S3 server of this test's own, from the `weed` binary; all of its listeners are on loopback. */
export async function startSeaweedFs(bucket = 'amalgam'): Promise<SeaweedFs> {
  const directory = await mkdtemp(join(tmpdir(), 'seaweedfs-'));
  const [s3, master, volume, filer, admin] = (await freePorts(5)) as [number, number, number, number, number];
  const accessKey = 'testkey';
  const secretKey = 'testsecret123';
  const args = [
    ...['-logtostderr=true', 'mini', `-dir=${directory}`, '-ip=127.0.0.1', '-ip.bind=127.0.0.1'],
    ...[`-master.port=${String(master)}`, `-volume.port=${String(volume)}`, `-filer.port=${String(filer)}`],
    ...[`-s3.port=${String(s3)}`, `-admin.port=${String(admin)}`, '-s3.port.iceberg=0', '-s3.port.lance=0'],
    ...['-webdav=false', '-admin.ui=false', '-s3.autoCreateBucket=false'],
  ];
  const env = { GOMEMLIMIT: '512MiB', AWS_ACCESS_KEY_ID: accessKey, AWS_SECRET_ACCESS_KEY: secretKey };
  const client = new Client({
    ...{ endPoint: '127.0.0.1', port: s3, useSSL: false, accessKey, secretKey, region: 'us-east-1' },
    retryOptions: { disableRetry: true },
  });
  // Answering is not serving: only a stored object proves that volumes can be written.
  const isReady = async () => {
    if (!(await client.bucketExists(bucket))) await client.makeBucket(bucket, 'us-east-1');
    await client.putObject(bucket, 'ready', Buffer.from('ready'));
    await client.removeObject(bucket, 'ready');
    return true;
  };
  const start = () => startServer(environment('s3'), args, env, isReady);
  let server = await start();
  const config = {
    url: `http://127.0.0.1:${String(s3)}`,
    bucket,
    accessKey,
    secretKey,
    region: 'us-east-1',
    prefix: '',
  };
  return {
    config,
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
      for (const file of await readdir(tmpdir())) {
        const ours = [s3, master, volume, filer, admin].some((port) => file.endsWith(`-${String(port)}.sock`));
        if (file.startsWith('seaweedfs-') && ours) await rm(join(tmpdir(), file), { force: true });
      }
    },
  };
}
