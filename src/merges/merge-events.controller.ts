import { Controller, Get, Param, Query, Req, Res, type StreamableFile } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Refuses } from '../http/refuses.decorator.js';
import { Returns } from '../http/returns.decorator.js';
import { EventsQuery, followOrList, Follows } from '../http/server-sent-events.js';
import { MergeEvents } from './merge-events.js';
import { isTerminal } from './merge-state.js';
import { MergeEventList, MergePath } from './merges.schema.js';
import { MergesService } from './merges.service.js';

@ApiTags('merges')
@Controller('v1/merges/:id/events')
export class MergeEventsController {
  constructor(
    private readonly merges: MergesService,
    private readonly events: MergeEvents,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'Follow a merge',
    description:
      'With `Accept: text/event-stream`, events as they happen until the merge has ended; `Last-Event-ID` continues ' +
      'where a stream broke. Otherwise the list of those that have happened.',
  })
  @Follows
  @ApiResponse({ status: 204, description: 'The merge has ended and everything was told: do not connect again.' })
  @Returns(200, MergeEventList)
  @Refuses(404)
  async follow(
    @Param({ schema: MergePath }) { id }: MergePath,
    @Query({ schema: EventsQuery }) query: EventsQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<MergeEventList | StreamableFile | undefined> {
    const { state, lastEvent } = await this.merges.get(id);
    return followOrList(request, reply, query, {
      ...{ hasEnded: isTerminal(state), lastEvent },
      list: (after, limit) => this.events.list(id, after, limit),
      follow: (after, signal) => this.events.follow(id, after, signal),
    });
  }
}
