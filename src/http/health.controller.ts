import { Controller, Get, Header, Inject } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { AppError } from '../errors.js';
import { OBJECT_STORE } from '../platform/tokens.js';
import type { ObjectStore } from '../storage/object-store.js';
import { Returns } from './returns.decorator.js';

export const Health = z.object({ status: z.literal('ok') }).meta({ id: 'Health' });
export type Health = z.infer<typeof Health>;

const deadlineMs = 3_000;

/** For whoever keeps the process running: `livez` is about the process alone, `readyz` about what it depends on. */
@ApiTags('health')
@Controller()
export class HealthController {
  constructor(
    private readonly database: DataSource,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
  ) {}

  @Get('livez')
  @Header('cache-control', 'no-store')
  @Returns(200, Health, 'The process runs.')
  live(): Health {
    return { status: 'ok' };
  }

  @Get('readyz')
  @Header('cache-control', 'no-store')
  @Returns(200, Health, 'Database and object store answer.')
  async ready(): Promise<Health> {
    await reachable('The database', this.database.query('select 1'));
    await reachable('The object store', this.store.check());
    return { status: 'ok' };
  }
}

async function reachable(what: string, answer: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${deadlineMs} ms`)), deadlineMs);
  });
  try {
    await Promise.race([answer, late]);
  } catch (cause) {
    throw new AppError('unavailable', `${what} does not answer.`, { cause });
  } finally {
    clearTimeout(timer);
  }
}
