import { Global, Module, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { type Database, dataSourceOptions, openDataSource } from './platform/database.js';
import { DATABASE } from './platform/tokens.js';
import { entities, migrations } from './tables.js';

/** The tables of all features in whichever database is at home; migrated when the process starts. */
@Global()
@Module({
  providers: [
    {
      provide: DataSource,
      useFactory: (database: Database) => openDataSource(database, dataSourceOptions(database, entities, migrations)),
      inject: [DATABASE],
    },
  ],
  exports: [DataSource],
})
export class TablesModule implements OnApplicationShutdown {
  constructor(private readonly dataSource: DataSource) {}

  /** Before the database itself goes: Nest stops a module before those that it depends on. */
  async onApplicationShutdown(): Promise<void> {
    await this.dataSource.destroy();
  }
}
