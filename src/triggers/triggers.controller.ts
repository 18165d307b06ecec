import { Body, Controller, Delete, Get, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Principal } from '../auth/principal.decorator.js';
import { Effects } from '../http/effects.js';
import { type Page, PageQuery } from '../http/pagination.js';
import { Posts } from '../http/posts.decorator.js';
import { Refuses } from '../http/refuses.decorator.js';
import { AlsoReturns, Returns } from '../http/returns.decorator.js';
import { HubTokenHeader, hubTokenOf } from '../hub/hub-token-header.js';
import { BackFills } from './back-fills.service.js';
import {
  BackFill,
  BackFillRequest,
  Trigger,
  TriggerPage,
  TriggerPath,
  TriggerRequest,
  type TriggerRun,
  TriggerRunPage,
  TriggersQuery,
} from './triggers.schema.js';
import { TriggersService } from './triggers.service.js';

@ApiTags('triggers')
@Controller('v1/triggers')
export class TriggersController {
  constructor(
    private readonly triggers: TriggersService,
    private readonly backFills: BackFills,
    private readonly effects: Effects,
  ) {}

  @Post()
  @ApiOperation({
    summary: 'Make a trigger',
    description:
      'A recipe with `$checkpoint` where a model stands: every new version of the watched model takes that place, and is ' +
      'merged once, however often the same bytes arrive. Checked with the newest version that is there. `publish` needs ' +
      '`Hub-Token`, which is kept encrypted until the trigger is deleted.',
  })
  @HubTokenHeader
  @Posts()
  @Returns(201, Trigger)
  @Refuses(409, 410, 422)
  create(
    @Body({ schema: TriggerRequest }) body: TriggerRequest,
    @Principal() principal: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Trigger> {
    const commit = this.effects.of<Trigger>(request, reply, ({ id }) => ({
      status: 201,
      headers: { location: `/v1/triggers/${id}` },
    }));
    return this.triggers.create(body, hubTokenOf(request.headers['hub-token']), principal, commit);
  }

  @Get()
  @ApiOperation({ summary: 'List triggers', description: 'In the order of their names.' })
  @Returns(200, TriggerPage)
  list(@Query({ schema: TriggersQuery }) query: TriggersQuery): Promise<Page<Trigger>> {
    return this.triggers.list(query);
  }

  @Get(':trigger')
  @ApiOperation({ summary: 'Get a trigger' })
  @Returns(200, Trigger)
  @Refuses(404)
  get(@Param({ schema: TriggerPath }) { trigger }: TriggerPath): Promise<Trigger> {
    return this.triggers.get(trigger);
  }

  @Get(':trigger/runs')
  @ApiOperation({ summary: 'List what a trigger started', description: 'One entry a checkpoint, the newest first.' })
  @Returns(200, TriggerRunPage)
  @Refuses(404)
  listRuns(
    @Param({ schema: TriggerPath }) { trigger }: TriggerPath,
    @Query({ schema: PageQuery }) query: PageQuery,
  ): Promise<Page<TriggerRun>> {
    return this.triggers.listRuns(trigger, query);
  }

  @Post(':trigger/back-fills')
  @ApiOperation({
    summary: 'Merge older checkpoints',
    description:
      'Those of a range, or all, that were not merged yet or whose merge failed; the oldest first. A dry run says what ' +
      'would be done. An older checkpoint than one that was merged already moves no alias and is not published.',
  })
  @Posts()
  @Returns(202, BackFill, 'Written down; follow it in the list of runs.')
  @AlsoReturns(200, BackFill, 'A dry run.')
  @Refuses(404, 409)
  backFill(
    @Param({ schema: TriggerPath }) { trigger }: TriggerPath,
    @Body({ schema: BackFillRequest }) body: BackFillRequest,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<BackFill> {
    const commit = this.effects.of<BackFill>(request, reply, ({ dryRun }) =>
      dryRun ? { status: 200 } : { status: 202, headers: { location: `/v1/triggers/${trigger}/runs` } },
    );
    return this.backFills.run(trigger, body, commit);
  }

  @Post(':trigger/disable')
  @ApiOperation({
    summary: 'Disable a trigger',
    description: 'Nothing more is started; what has come waits, what comes meanwhile is left to a back-fill.',
  })
  @Posts()
  @Returns(200, Trigger)
  @Refuses(404)
  disable(
    @Param({ schema: TriggerPath }) { trigger }: TriggerPath,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Trigger> {
    return this.triggers.setEnabled(
      trigger,
      false,
      this.effects.of<Trigger>(request, reply, () => ({ status: 200 })),
    );
  }

  @Post(':trigger/enable')
  @ApiOperation({ summary: 'Enable a trigger', description: 'From now on; what waits goes on.' })
  @Posts()
  @Returns(200, Trigger)
  @Refuses(404)
  enable(
    @Param({ schema: TriggerPath }) { trigger }: TriggerPath,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Trigger> {
    return this.triggers.setEnabled(
      trigger,
      true,
      this.effects.of<Trigger>(request, reply, () => ({ status: 200 })),
    );
  }

  @Delete(':trigger')
  @ApiOperation({ summary: 'Delete a trigger', description: 'Merges that it has started go on; results stay.' })
  @Returns(204)
  @Refuses(404)
  delete(@Param({ schema: TriggerPath }) { trigger }: TriggerPath): Promise<void> {
    return this.triggers.delete(trigger);
  }
}
