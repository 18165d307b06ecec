import { type DynamicModule, Module } from '@nestjs/common';
import { CardsModule } from './cards/cards.module.js';
import type { Config } from './config.js';
import { HubModule } from './hub/hub.module.js';
import { HttpModule } from './http/http.module.js';
import { LicencesModule } from './licences/licences.module.js';
import { ImportsModule } from './imports/imports.module.js';
import { LineageModule } from './lineage/lineage.module.js';
import { MergesModule } from './merges/merges.module.js';
import { ModelsModule } from './models/models.module.js';
import type { Logger } from './platform/logger.js';
import { PlatformModule } from './platform/platform.module.js';
import { PublishingModule } from './publishing/publishing.module.js';
import { RecipesModule } from './recipes/recipes.module.js';
import { StorageModule } from './storage/storage.module.js';
import { TablesModule } from './tables.module.js';
import { TriggersModule } from './triggers/triggers.module.js';

/** Every feature, in the order of the arrows between them. The same for all roles: each service reads what its role is. */
const features = [
  RecipesModule,
  ModelsModule,
  LineageModule,
  LicencesModule,
  CardsModule,
  HubModule,
  ImportsModule,
  PublishingModule,
  MergesModule,
  TriggersModule,
];

@Module({})
export class AppModule {
  static forRoot(config: Config, logger: Logger): DynamicModule {
    return {
      module: AppModule,
      imports: [
        PlatformModule.forRoot(config, logger),
        StorageModule.forRoot(config),
        TablesModule,
        HttpModule,
        ...features,
      ],
    };
  }
}
