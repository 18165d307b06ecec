import { writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { type INestApplicationContext, StandardSchemaSerializerInterceptor } from '@nestjs/common';
import { NestFactory, Reflector } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import type { Config } from './config.js';
import { serveDocs } from './http/docs.js';
import { IdempotencyInterceptor } from './http/idempotency.interceptor.js';
import { createOpenapi } from './http/openapi.js';
import { ProblemFilter } from './http/problem.filter.js';
import { createServer } from './http/server.js';
import { ValidationPipe } from './http/validation.pipe.js';
import { dataSourceOptions, openDatabase, openDataSource } from './platform/database.js';
import { createLogger, type Logger, NestLogger } from './platform/logger.js';
import { migrateQueue } from './platform/queue-transport.js';
import { entities, migrations } from './tables.js';

export interface RunningService {
  /** Base URL, with the port that was taken. */
  url: string;
  app: NestFastifyApplication;
  close(): Promise<void>;
}

/** Starts roles `all` and `api`: resolves when the server listens and the sample models are there. */
export async function serve(config: Config, logger: Logger = createLogger(config.logLevel)): Promise<RunningService> {
  const app = await createApp(config, logger, false);
  serveDocs(app.getHttpAdapter().getInstance(), () => createOpenapi(app));
  await app.listen(config.http.port, config.http.host);
  const { port } = app.getHttpServer().address() as AddressInfo;
  const host = config.http.host.includes(':') ? `[${config.http.host}]` : config.http.host;
  const url = `http://${host}:${port}`;
  logger.info({ url, role: config.role }, `listening on ${url}, documentation at ${url}/docs`);
  return { url, app, close: () => app.close() };
}

/** Starts role `worker`: no HTTP, merges only. */
export async function work(
  config: Config,
  logger: Logger = createLogger(config.logLevel),
): Promise<INestApplicationContext> {
  const context = await NestFactory.createApplicationContext(AppModule.forRoot(config, logger), {
    logger: new NestLogger(logger),
    abortOnError: false,
  });
  context.enableShutdownHooks();
  return context;
}

/** Role `migrate`: brings the tables up to date and ends. */
export async function migrate(config: Config): Promise<void> {
  const database = await openDatabase(config);
  try {
    const dataSource = await openDataSource(database, dataSourceOptions(database, entities, migrations));
    await dataSource.destroy();
    if (config.queue.redisUrl === undefined) await migrateQueue(database);
  } finally {
    await database.close();
  }
}

/** Role `openapi`: writes the document, without opening anything. */
export async function writeOpenapi(config: Config, path: string): Promise<void> {
  const app = await createApp(config, createLogger('silent'), true);
  await writeFile(path, `${JSON.stringify(createOpenapi(app), null, 2)}\n`);
}

/** @param preview only wires classes, for their routes: no provider is made */
async function createApp(config: Config, logger: Logger, preview: boolean): Promise<NestFastifyApplication> {
  const adapter = createServer(config.apiKeys, logger);
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.forRoot(config, logger), adapter, {
    logger: new NestLogger(logger),
    bodyParser: false,
    abortOnError: false,
    preview,
  });
  if (preview) return app;
  app.useGlobalFilters(new ProblemFilter(logger));
  app.useGlobalPipes(new ValidationPipe());
  // The first is the outermost: a stored answer passes the schema like a new one.
  app.useGlobalInterceptors(
    new StandardSchemaSerializerInterceptor(app.get(Reflector)),
    app.get(IdempotencyInterceptor),
  );
  app.enableShutdownHooks();
  return app;
}
