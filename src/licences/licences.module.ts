import { Module } from '@nestjs/common';
import { ModelsModule } from '../models/models.module.js';
import { LicencesController } from './licences.controller.js';
import { LicenceStatements } from './licence-statements.service.js';
import { LicencesService } from './licences.service.js';
import { VersionClosures } from './version-closures.service.js';

/** Whether licences let versions be published. */
@Module({
  imports: [ModelsModule],
  controllers: [LicencesController],
  providers: [LicencesService, LicenceStatements, VersionClosures],
  exports: [LicencesService],
})
export class LicencesModule {}
