import { Body, Controller, Get, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiConsumes, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Principal } from '../auth/principal.decorator.js';
import { Effects } from '../http/effects.js';
import type { Page } from '../http/pagination.js';
import { Posts } from '../http/posts.decorator.js';
import { Refuses } from '../http/refuses.decorator.js';
import { AlsoReturns, Returns } from '../http/returns.decorator.js';
import { HubTokenHeader, hubTokenOf } from '../hub/hub-token-header.js';
import { Merge, MergePage, MergePath, MergesQuery } from './merges.schema.js';
import { MergesService } from './merges.service.js';
import { MergeBody, mergeRequestOf } from './request-body.js';
import { RetryService } from './retry.service.js';
import { SubmissionService } from './submission.service.js';

const accepted = (merge: Merge) => ({ status: 202, headers: { location: `/v1/merges/${merge.id}` } });

@ApiTags('merges')
@Controller('v1/merges')
export class MergesController {
  constructor(
    private readonly submission: SubmissionService,
    private readonly merges: MergesService,
    private readonly retries: RetryService,
    private readonly effects: Effects,
  ) {}

  @Post()
  @ApiOperation({
    summary: 'Submit a merge',
    description:
      'Planned at once, carried out by any worker: once answered, it is not lost. 200 with `deduplicated` when the same ' +
      'bytes are there already, 202 with the running twin when the same merge is under way. A merge of models of the Hub, ' +
      'or of several recipes in one text, is answered first and planned in the state `planning`; a plan that fails ends ' +
      'in `failed`, and then nothing was fetched. With `application/yaml` the body is the recipe and the other members ' +
      'are query parameters.',
  })
  @ApiConsumes('application/json', 'application/yaml')
  @HubTokenHeader
  @Posts()
  @Returns(202, Merge, 'Written down; follow it at `Location`.')
  @AlsoReturns(200, Merge, 'Its bytes were there already.')
  @Refuses(410, 422)
  submit(
    @Body({ schema: MergeBody }) body: z.infer<typeof MergeBody>,
    @Query() query: unknown,
    @Principal() principal: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Merge> {
    const asked = mergeRequestOf(body, query);
    const commit = this.effects.of<Merge>(request, reply, (merge) => ({
      ...accepted(merge),
      status: merge.deduplicated ? 200 : 202,
    }));
    const hubToken = hubTokenOf(request.headers['hub-token']);
    return this.submission.submit({ ...asked, createdBy: principal, hubToken }, commit);
  }

  @Get()
  @ApiOperation({ summary: 'List merges', description: 'Newest first.' })
  @Returns(200, MergePage)
  list(@Query({ schema: MergesQuery }) query: MergesQuery): Promise<Page<Merge>> {
    return this.merges.list(query);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Get a merge', description: 'With its progress; the ETag changes whenever anything does.' })
  @Returns(200, Merge)
  @Refuses(404)
  get(@Param({ schema: MergePath }) { id }: MergePath): Promise<Merge> {
    return this.merges.get(id);
  }

  @Post(':id/cancel')
  @ApiOperation({
    summary: 'Cancel a merge',
    description:
      'It cannot succeed any more; it is `cancelled` as soon as its worker has let go, a few seconds at most.',
  })
  @Posts()
  @Returns(202, Merge)
  @Refuses(404, 409)
  cancel(
    @Param({ schema: MergePath }) { id }: MergePath,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Merge> {
    return this.merges.cancel(id, this.effects.of<Merge>(request, reply, accepted));
  }

  @Post(':id/retry')
  @ApiOperation({
    summary: 'Try a failed or cancelled merge again',
    description:
      'With the same models and the same seed; shards that were done are not done again. With a token again where one is ' +
      'needed, because the first was forgotten.',
  })
  @HubTokenHeader
  @Posts()
  @Returns(202, Merge)
  @Refuses(404, 409, 410, 422)
  retry(
    @Param({ schema: MergePath }) { id }: MergePath,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Merge> {
    const hubToken = hubTokenOf(request.headers['hub-token']);
    return this.retries.retry(id, hubToken, this.effects.of<Merge>(request, reply, accepted));
  }
}
