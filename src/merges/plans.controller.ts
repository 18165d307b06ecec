import { Body, Controller, Post, Query, Req } from '@nestjs/common';
import { ApiConsumes, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Posts } from '../http/posts.decorator.js';
import { Refuses } from '../http/refuses.decorator.js';
import { Returns } from '../http/returns.decorator.js';
import { HubTokenHeader, hubTokenOf } from '../hub/hub-token-header.js';
import { Plan } from './merges.schema.js';
import { PlanningService } from './planning.service.js';
import { PlanBody, planRequestOf } from './request-body.js';
import { Workers } from './workers.js';

@ApiTags('merges')
@Controller('v1/plans')
export class PlansController {
  constructor(
    private readonly planning: PlanningService,
    private readonly workers: Workers,
  ) {}

  @Post()
  @ApiOperation({
    summary: 'Plan a merge',
    description:
      "What the merge would do and cost, from the models' headers alone: nothing is computed or kept. Takes what a merge " +
      'takes, without `output`.',
  })
  @ApiConsumes('application/json', 'application/yaml')
  @HubTokenHeader
  @Posts()
  @Returns(200, Plan)
  @Refuses(410, 422, 503)
  async plan(
    @Body({ schema: PlanBody }) body: z.infer<typeof PlanBody>,
    @Query() query: unknown,
    @Req() httpRequest: FastifyRequest,
  ): Promise<Plan> {
    const { request, pointer } = planRequestOf(body, query);
    const token = hubTokenOf(httpRequest.headers['hub-token']);
    await this.workers.requireDevice(request.device);
    return (await this.planning.planAtOnce({ ...request, pointer }, token)).summary;
  }
}
