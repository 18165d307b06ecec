import { Module } from '@nestjs/common';
import { HubModule } from '../hub/hub.module.js';
import { ModelsModule } from '../models/models.module.js';
import { FileFetcher } from './file-fetcher.service.js';
import { ImportAttempt } from './import-attempt.js';
import { ImportEvents } from './import-events.js';
import { ImportEventsController } from './import-events.controller.js';
import { ImportKeeping } from './import-keeping.js';
import { ImportLeases } from './import-leases.js';
import { ImportLoop } from './import-loop.js';
import { ImportSources } from './import-sources.js';
import { ImportSteps } from './import-steps.js';
import { ImportTransfer } from './import-transfer.js';
import { ImportWorker } from './import-worker.service.js';
import { ImportsController } from './imports.controller.js';
import { ImportsService } from './imports.service.js';
import { S3Models } from './s3-models.js';
import { StoredImports } from './stored-imports.js';

/** Models of the Hub and of buckets on their way into the registry. */
@Module({
  imports: [HubModule, ModelsModule],
  controllers: [ImportsController, ImportEventsController],
  providers: [
    ...[FileFetcher, ImportAttempt, ImportEvents, ImportKeeping, ImportLeases, ImportLoop, ImportSources, ImportSteps],
    ...[ImportTransfer, ImportWorker, ImportsService, S3Models, StoredImports],
  ],
  exports: [ImportsService, ImportSources],
})
export class ImportsModule {}
