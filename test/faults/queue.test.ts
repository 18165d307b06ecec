import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { loadConfig } from '../../src/config.js';
import { type Database, openDatabase } from '../../src/platform/database.js';
import { createLogger } from '../../src/platform/logger.js';
import { MergeQueue } from '../../src/platform/queue.js';
import { until } from '../support/child-server.js';
import { describeWith } from '../support/environment.js';
import { ownSchema } from '../support/postgres.js';
import { type OwnRedis, startRedis } from '../support/redis.js';

/** Longer than a ring may take, shorter than anybody would notice. */
const soonMilliseconds = 1500;

describeWith(['database', 'redis'], 'the queue while Redis is away', () => {
  let redis: OwnRedis;
  let database: Database;
  let queue: MergeQueue;
  const heard: number[] = [];

  const open = async () => {
    const { url } = ownSchema();
    const config = loadConfig({ AMALGAM_DATABASE_URL: url, AMALGAM_REDIS_URL: redis.url });
    database = await openDatabase(config);
    queue = await MergeQueue.open(config.queue, database, createLogger('silent'));
  };
  const listen = () =>
    queue.onAnnounced(({ announcement }) => {
      heard.push(announcement);
      return Promise.resolve();
    });
  let last = 0;
  const ring = async () => {
    const startedAt = Date.now();
    const rung = await queue.announce('5e6f-0', 1, (last += 1));
    expect(Date.now() - startedAt).toBeLessThan(soonMilliseconds);
    return rung;
  };
  /** As the sweep does: rings with new numbers until something is heard. */
  const isHeardFromNowOn = async () => {
    heard.length = 0;
    await until('it is heard', async () => {
      await ring();
      return heard.length > 0;
    });
  };

  beforeEach(async () => {
    redis = await startRedis();
  });
  afterEach(async () => {
    await queue.close();
    await database.close();
    await redis.stop();
  }, 20_000);

  test('fails fast when it was killed, and is heard again when it comes back empty', async () => {
    await open();
    await listen();
    await isHeardFromNowOn();
    redis.kill('SIGKILL');
    await redis.exited;
    await until('the loss is noticed', async () => !(await ring()));
    await redis.restart();
    await isHeardFromNowOn();
  }, 60_000);

  test('gives up within a second when it hangs, and is heard again when it goes on', async () => {
    await open();
    await listen();
    await isHeardFromNowOn();
    redis.kill('SIGSTOP');
    expect(await ring()).toBe(false);
    redis.kill('SIGCONT');
    await isHeardFromNowOn();
  }, 60_000);

  test('starts without it and hears when it comes', async () => {
    redis.kill('SIGKILL');
    await redis.exited;
    await open();
    const listening = listen();
    expect(await ring()).toBe(false);
    await listening;
    await redis.restart();
    await isHeardFromNowOn();
  }, 60_000);

  test.each(['at once', 'when the loss is noticed'])(
    'closes while it is away, %s, and leaves nothing running',
    async (when) => {
      const timers = () => process.getActiveResourcesInfo().filter((type) => type === 'Timeout').length;
      const before = timers();
      await open();
      await listen();
      redis.kill('SIGKILL');
      await redis.exited;
      if (when !== 'at once') await until('the loss is noticed', async () => !(await ring()));
      const startedAt = Date.now();
      await queue.close();
      expect(Date.now() - startedAt).toBeLessThan(3000);
      await until('its timers are gone', () => timers() <= before);
    },
    60_000,
  );
});
