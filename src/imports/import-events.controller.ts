import { Controller, Get, Param, Query, Req, Res, type StreamableFile } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Refuses } from '../http/refuses.decorator.js';
import { Returns } from '../http/returns.decorator.js';
import { EventsQuery, followOrList, Follows } from '../http/server-sent-events.js';
import { ImportEvents } from './import-events.js';
import { isTerminal } from './import-state.js';
import { ImportEventList, ImportPath } from './imports.schema.js';
import { ImportsService } from './imports.service.js';

@ApiTags('imports')
@Controller('v1/imports/:id/events')
export class ImportEventsController {
  constructor(
    private readonly imports: ImportsService,
    private readonly events: ImportEvents,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'Follow an import',
    description:
      'With `Accept: text/event-stream`, events as they happen until the import has ended; `Last-Event-ID` ' +
      'continues where a stream broke. Otherwise the list of those that have happened.',
  })
  @Follows
  @ApiResponse({ status: 204, description: 'It has ended and everything was told: do not connect again.' })
  @Returns(200, ImportEventList)
  @Refuses(404)
  async follow(
    @Param({ schema: ImportPath }) { id }: ImportPath,
    @Query({ schema: EventsQuery }) query: EventsQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ImportEventList | StreamableFile | undefined> {
    const { state, lastEvent } = await this.imports.get(id);
    return followOrList(request, reply, query, {
      ...{ hasEnded: isTerminal(state), lastEvent },
      list: (after, limit) => this.events.list(id, after, limit),
      follow: (after, signal) => this.events.follow(id, after, signal),
    });
  }
}
