import { Module } from '@nestjs/common';
import { ModelsModule } from '../models/models.module.js';
import { LineageController } from './lineage.controller.js';
import { LineageService } from './lineage.service.js';

@Module({
  imports: [ModelsModule],
  controllers: [LineageController],
  providers: [LineageService],
  exports: [LineageService],
})
export class LineageModule {}
