import { Module } from '@nestjs/common';
import { HubModule } from '../hub/hub.module.js';
import { ImportsModule } from '../imports/imports.module.js';
import { LicencesModule } from '../licences/licences.module.js';
import { LineageModule } from '../lineage/lineage.module.js';
import { ModelsModule } from '../models/models.module.js';
import { PublishingModule } from '../publishing/publishing.module.js';
import { ComparisonsController } from './comparisons.controller.js';
import { ComparisonsService } from './comparisons.service.js';
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
import { MergeInputs } from './merge-inputs.service.js';
import { Beginnings } from './preparation/beginnings.js';
import { NeedReleases } from './preparation/need-releases.js';
import { PreparationAttempt } from './preparation/preparation-attempt.js';
import { NewPreparations } from './preparation/new-preparations.service.js';
import { PreparationKeeping } from './preparation/preparation-keeping.js';
import { PreparationLeases } from './preparation/preparation-leases.js';
import { PreparationLoop } from './preparation/preparation-loop.js';
import { PreparationSteps } from './preparation/preparation-steps.js';
import { PreparationWorker } from './preparation/preparation-worker.service.js';
import { SecondPreparations } from './preparation/second-preparations.js';
import { StoredPreparations } from './preparation/stored-preparations.js';
import { NewVersions } from './new-versions.js';
import { PlannedMerges } from './planned-merges.service.js';
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
  imports: [HubModule, ImportsModule, ModelsModule, LicencesModule, LineageModule, PublishingModule],
  controllers: [ComparisonsController, PlansController, MergesController, MergeEventsController],
  providers: [
    ...[
      ComparisonsService,
      Doorbell,
      FinalizationAttempt,
      Finalizations,
      Finalizer,
      Garbage,
      KnownResults,
      MergeEvents,
      MergeWorker,
    ],
    ...[Beginnings, MergeInputs, NeedReleases, NewPreparations, PlannedMerges, PreparationAttempt],
    ...[PreparationKeeping, PreparationLeases, PreparationLoop, PreparationSteps, PreparationWorker],
    ...[SecondPreparations, StoredPreparations],
    ...[MergesService, NewVersions, PlanningService, RetryService, ShardAttempt, ShardLeases, ShardRunner],
    ...[StoredMerges, SubmissionService, Sweep, Upkeep, WorkLoop, Workers],
  ],
  exports: [MergeInputs, PlanningService, SubmissionService],
})
export class MergesModule {}
