import { Module } from '@nestjs/common';
import { RecipesController } from './recipes.controller.js';

/** What can be known about recipes without any model. */
@Module({ controllers: [RecipesController] })
export class RecipesModule {}
