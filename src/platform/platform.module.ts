import {
  Global,
  Inject,
  Module,
  type BeforeApplicationShutdown,
  type DynamicModule,
  type OnApplicationShutdown,
} from '@nestjs/common';
import type { Config } from '../config.js';
import { openDatabase, type Database } from './database.js';
import { createLogger, type Logger } from './logger.js';
import { MergeQueue } from './queue.js';
import { Sealer } from './sealing.js';
import { CONFIG, DATABASE, LOGGER } from './tokens.js';

/** Settings, logger, database home and queue, once for the whole service; closed in the order that each needs. */
@Global()
@Module({})
export class PlatformModule implements BeforeApplicationShutdown, OnApplicationShutdown {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    private readonly queue: MergeQueue,
  ) {}

  static forRoot(config: Config, logger: Logger = createLogger(config.logLevel)): DynamicModule {
    return {
      module: PlatformModule,
      providers: [
        { provide: CONFIG, useValue: config },
        { provide: LOGGER, useValue: logger },
        { provide: Sealer, useFactory: () => new Sealer(config) },
        { provide: DATABASE, useFactory: () => openDatabase(config) },
        {
          provide: MergeQueue,
          useFactory: (database: Database) => MergeQueue.open(config.queue, database, logger),
          inject: [DATABASE],
        },
      ],
      exports: [CONFIG, LOGGER, DATABASE, MergeQueue, Sealer],
    };
  }

  /** The queue goes first: what it runs still needs the database to let go of its leases. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.queue.close();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.database.close();
  }
}
