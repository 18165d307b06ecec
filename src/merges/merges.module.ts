import { Module } from '@nestjs/common';
import { LicencesModule } from '../licences/licences.module.js';
import { LineageModule } from '../lineage/lineage.module.js';
import { ModelsModule } from '../models/models.module.js';
import { PublishingModule } from '../publishing/publishing.module.js';
import { Doorbell } from './doorbell.js';
import { FinalizationAttempt } from './finalization-attempt.js';
import { Finalizations } from './finalizations.js';
import { Finalizer } from './finalizer.js';
import { Garbage } from './garbage.js';
import { KnownResults } from './known-results.js';
import { MergeEvents } from './merge-events.js';
import { MergeEventsController } from './merge-events.controller.js';
import { MergeWorker } from './merge-worker.service.js';
import { MergesController } from './merges.controller.js';
import { MergesService } from './merges.service.js';
import { NewVersions } from './new-versions.js';
import { PlanningService } from './planning.service.js';
import { PlansController } from './plans.controller.js';
import { RetryService } from './retry.service.js';
import { ShardAttempt } from './shard-attempt.js';
import { ShardLeases } from './shard-leases.js';
import { ShardRunner } from './shard-runner.js';
import { StoredMerges } from './stored-merges.js';
import { SubmissionService } from './submission.service.js';
import { Sweep } from './sweep.js';
import { Upkeep } from './upkeep.js';
import { WorkLoop } from './work-loop.js';
import { Workers } from './workers.js';

/** Merges: taking them in, carrying them out, and keeping the books. */
@Module({
  imports: [ModelsModule, LicencesModule, LineageModule, PublishingModule],
  controllers: [PlansController, MergesController, MergeEventsController],
  providers: [
    ...[Doorbell, FinalizationAttempt, Finalizations, Finalizer, Garbage, KnownResults, MergeEvents, MergeWorker],
    ...[MergesService, NewVersions, PlanningService, RetryService, ShardAttempt, ShardLeases, ShardRunner],
    ...[StoredMerges, SubmissionService, Sweep, Upkeep, WorkLoop, Workers],
  ],
})
export class MergesModule {}
