import { Module } from '@nestjs/common';
import { HubModule } from '../hub/hub.module.js';
import { MergesModule } from '../merges/merges.module.js';
import { ModelsModule } from '../models/models.module.js';
import { Arrivals } from './arrivals.js';
import { BackFills } from './back-fills.service.js';
import { Retention } from './retention.js';
import { RunQueue } from './run-queue.js';
import { RunSubmission } from './run-submission.js';
import { TriggerCheck } from './trigger-check.service.js';
import { TriggerUpkeep } from './trigger-upkeep.service.js';
import { TriggersController } from './triggers.controller.js';
import { TriggersService } from './triggers.service.js';

/** Merges that new versions start, and the retention of their results. */
@Module({
  imports: [HubModule, ModelsModule, MergesModule],
  controllers: [TriggersController],
  providers: [Arrivals, BackFills, Retention, RunQueue, RunSubmission, TriggerCheck, TriggerUpkeep, TriggersService],
})
export class TriggersModule {}
