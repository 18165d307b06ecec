import { Controller, Get, Param, Query, Req, Res, type StreamableFile } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Refuses } from '../http/refuses.decorator.js';
import { Returns } from '../http/returns.decorator.js';
import { EventsQuery, followOrList, Follows } from '../http/server-sent-events.js';
import { PublicationEvents } from './publication-events.js';
import { isTerminal } from './publication-state.js';
import { PublicationEventList, PublicationPath } from './publications.schema.js';
import { PublicationsService } from './publications.service.js';

@ApiTags('publishing')
@Controller('v1/publications/:id/events')
export class PublicationEventsController {
  constructor(
    private readonly publications: PublicationsService,
    private readonly events: PublicationEvents,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'Follow a publication',
    description:
      'With `Accept: text/event-stream`, events as they happen until the publication has ended; `Last-Event-ID` ' +
      'continues where a stream broke. Otherwise the list of those that have happened.',
  })
  @Follows
  @ApiResponse({ status: 204, description: 'It has ended and everything was told: do not connect again.' })
  @Returns(200, PublicationEventList)
  @Refuses(404)
  async follow(
    @Param({ schema: PublicationPath }) { id }: PublicationPath,
    @Query({ schema: EventsQuery }) query: EventsQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PublicationEventList | StreamableFile | undefined> {
    const { state, lastEvent } = await this.publications.get(id);
    return followOrList(request, reply, query, {
      ...{ hasEnded: isTerminal(state), lastEvent },
      list: (after, limit) => this.events.list(id, after, limit),
      follow: (after, signal) => this.events.follow(id, after, signal),
    });
  }
}
