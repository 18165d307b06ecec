import { Injectable } from '@nestjs/common';
import { MergeEvents } from '../merge-events.js';
import { NeedReleases } from './need-releases.js';
import { PreparationLeases } from './preparation-leases.js';

/** What is done regularly for merges that wait, in every process. */
@Injectable()
export class PreparationKeeping {
  constructor(
    private readonly leases: PreparationLeases,
    private readonly events: MergeEvents,
    private readonly releases: NeedReleases,
  ) {}

  takeOver(): Promise<void> {
    return this.leases.releaseAll();
  }

  sweep(): Promise<void> {
    return this.events.tellFetched();
  }

  release(): Promise<void> {
    return this.releases.run();
  }
}
