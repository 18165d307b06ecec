import { Global, Module, type DynamicModule } from '@nestjs/common';
import { join } from 'node:path';
import type { Config } from '../config.js';
import { OBJECT_STORE } from '../platform/tokens.js';
import { BlobCache } from './blob-cache.js';
import { LocalDirectoryStore } from './local-directory.js';
import type { ObjectStore } from './object-store.js';
import { RoutedStore } from './routed-store.js';
import { S3Store } from './s3.js';
import { SourceBuckets } from './source-buckets.js';

/** The store that the configuration names. */
function createObjectStore(config: Config): ObjectStore {
  return config.s3 ? new S3Store(config.s3) : new LocalDirectoryStore(config.dataDirectory);
}

@Global()
@Module({})
export class StorageModule {
  static forRoot(config: Config): DynamicModule {
    const cache = (store: ObjectStore) => new BlobCache(store, join(config.dataDirectory, 'cache'), config.cacheBytes);
    return {
      module: StorageModule,
      providers: [
        { provide: SourceBuckets, useFactory: () => new SourceBuckets(config.s3Sources) },
        {
          provide: OBJECT_STORE,
          useFactory: (sources: SourceBuckets) => new RoutedStore(createObjectStore(config), sources),
          inject: [SourceBuckets],
        },
        { provide: BlobCache, useFactory: cache, inject: [OBJECT_STORE] },
      ],
      exports: [OBJECT_STORE, BlobCache, SourceBuckets],
    };
  }
}
