import { Module } from '@nestjs/common';
import { ModelsModule } from '../models/models.module.js';
import { CardsController } from './cards.controller.js';

@Module({ imports: [ModelsModule], controllers: [CardsController] })
export class CardsModule {}
