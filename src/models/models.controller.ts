import { Body, Controller, Get, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Effects } from '../http/effects.js';
import type { Page } from '../http/pagination.js';
import { Posts } from '../http/posts.decorator.js';
import { Refuses } from '../http/refuses.decorator.js';
import { Returns } from '../http/returns.decorator.js';
import { CreateModel, Model, ModelPage, ModelPath, ModelsQuery } from './models.schema.js';
import { ModelsService } from './models.service.js';

@ApiTags('models')
@Controller('v1/models')
export class ModelsController {
  constructor(
    private readonly models: ModelsService,
    private readonly effects: Effects,
  ) {}

  @Post()
  @ApiOperation({ summary: 'Create a model', description: 'A name for versions to come: uploaded, or made by merges.' })
  @Posts()
  @Returns(201, Model)
  @Refuses(409)
  create(
    @Body({ schema: CreateModel }) body: CreateModel,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Model> {
    const commit = this.effects.of<Model>(request, reply, ({ namespace, name }) => ({
      status: 201,
      headers: { location: `/v1/models/${namespace}/${name}` },
    }));
    return this.models.create(body, commit);
  }

  @Get()
  @ApiOperation({ summary: 'List and search models' })
  @Returns(200, ModelPage)
  list(@Query({ schema: ModelsQuery }) query: ModelsQuery): Promise<Page<Model>> {
    return this.models.list(query);
  }

  @Get(':namespace/:name')
  @ApiOperation({ summary: 'Get a model' })
  @Returns(200, Model)
  @Refuses(404)
  get(@Param({ schema: ModelPath }) path: ModelPath): Promise<Model> {
    return this.models.get(path);
  }
}
