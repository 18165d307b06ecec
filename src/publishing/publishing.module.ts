import { Module } from '@nestjs/common';
import { LicencesModule } from '../licences/licences.module.js';
import { ModelsModule } from '../models/models.module.js';
import { FileSources } from './file-source.js';
import { CardsModule } from '../cards/cards.module.js';
import { HubModule } from '../hub/hub.module.js';
import { KeptUploads } from './kept-uploads.js';
import { MergePublications } from './merge-publications.service.js';
import { PreviewService } from './preview.service.js';
import { PublicationAttempt } from './publication-attempt.js';
import { PublicationEvents } from './publication-events.js';
import { PublicationEventsController } from './publication-events.controller.js';
import { PublicationLeases } from './publication-leases.js';
import { PublicationLoop } from './publication-loop.js';
import { PublicationPlanning } from './publication-planning.service.js';
import { PublicationSteps } from './publication-steps.js';
import { PublicationKeeping } from './publication-keeping.js';
import { PublicationWorker } from './publication-worker.service.js';
import { PublicationsController } from './publications.controller.js';
import { PublicationsService } from './publications.service.js';
import { PublishingRulesController } from './publishing-rules.controller.js';
import { PublishingRulesService } from './publishing-rules.service.js';
import { StoredPublications } from './stored-publications.js';
import { SubmittingService } from './submitting.service.js';
import { Uploader } from './uploader.service.js';

/** Versions on their way to the Hub. */
@Module({
  imports: [HubModule, ModelsModule, LicencesModule, CardsModule],
  controllers: [PublicationsController, PublicationEventsController, PublishingRulesController],
  providers: [
    ...[FileSources, KeptUploads, MergePublications, PreviewService, PublicationAttempt],
    ...[PublicationEvents, PublicationKeeping, PublicationLeases, PublicationLoop, PublicationPlanning],
    ...[PublicationSteps, PublicationWorker, PublicationsService, PublishingRulesService],
    ...[StoredPublications, SubmittingService, Uploader],
  ],
  exports: [MergePublications],
})
export class PublishingModule {}
