import { Module } from '@nestjs/common';
import { LicencesModule } from '../licences/licences.module.js';
import { ModelsModule } from '../models/models.module.js';
import { CardsController } from './cards.controller.js';
import { CardsService } from './cards.service.js';

@Module({
  imports: [ModelsModule, LicencesModule],
  controllers: [CardsController],
  providers: [CardsService],
  exports: [CardsService],
})
export class CardsModule {}
