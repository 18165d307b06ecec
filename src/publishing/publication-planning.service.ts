import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { VersionsService } from '../models/versions.service.js';
import { planFiles, type PublicationPlan } from './publication-plan.js';

/** What a publication consists of, and whether it may be. */
@Injectable()
export class PublicationPlanning {
  constructor(
    private readonly database: DataSource,
    private readonly versions: VersionsService,
  ) {}

  async plan({ versionId, version }: { versionId: string; version: string }): Promise<PublicationPlan> {
    const files = await this.versions.listFiles(this.database.manager, versionId);
    return { version, files: planFiles(files, new Map()) };
  }
}
