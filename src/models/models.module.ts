import { Module } from '@nestjs/common';
import { RegistryWatchers } from './registry-watchers.js';
import { AliasesController } from './aliases.controller.js';
import { AliasesService } from './aliases.service.js';
import { BlobsService } from './blobs.service.js';
import { FilesController } from './files.controller.js';
import { FolderUpload } from './folder-upload.service.js';
import { ModelsController } from './models.controller.js';
import { ModelsService } from './models.service.js';
import { Samples } from './samples.service.js';
import { UploadCompletion } from './upload-completion.service.js';
import { UploadReceiver } from './upload-receiver.service.js';
import { UploadSweeper } from './upload-sweeper.service.js';
import { UploadsController } from './uploads.controller.js';
import { UploadsService } from './uploads.service.js';
import { VersionsController } from './versions.controller.js';
import { VersionsService } from './versions.service.js';
import { WeightsExpiry } from './weights-expiry.service.js';

/** The registry. */
@Module({
  controllers: [ModelsController, VersionsController, FilesController, AliasesController, UploadsController],
  providers: [
    RegistryWatchers,
    AliasesService,
    BlobsService,
    ModelsService,
    FolderUpload,
    Samples,
    UploadCompletion,
    UploadReceiver,
    UploadSweeper,
    UploadsService,
    VersionsService,
    WeightsExpiry,
  ],
  exports: [
    ...[RegistryWatchers, AliasesService, BlobsService, ModelsService, VersionsService, WeightsExpiry],
    ...[UploadCompletion, UploadReceiver, UploadsService],
  ],
})
export class ModelsModule {}
