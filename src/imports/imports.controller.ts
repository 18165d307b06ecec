import { Body, Controller, Get, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Principal } from '../auth/principal.decorator.js';
import { Effects } from '../http/effects.js';
import type { Page } from '../http/pagination.js';
import { Posts } from '../http/posts.decorator.js';
import { Refuses } from '../http/refuses.decorator.js';
import { Returns } from '../http/returns.decorator.js';
import { HubTokenHeader, hubTokenOf } from '../hub/hub-token-header.js';
import { Import, ImportPage, ImportPath, ImportRequest, ImportsQuery } from './imports.schema.js';
import { ImportsService } from './imports.service.js';

const accepted = ({ id }: Import) => ({ status: 202, headers: { location: `/v1/imports/${id}` } });

@ApiTags('imports')
@Controller('v1/imports')
export class ImportsController {
  constructor(
    private readonly imports: ImportsService,
    private readonly effects: Effects,
  ) {}

  @Post()
  @ApiOperation({
    summary: 'Import a model of the Hub or of a bucket',
    description:
      'Pinned to a commit (of a bucket: to the ETags of its objects) and checked by its headers before any weight ' +
      'moves; then fetched in ranges straight into the store, each file of the Hub against its SHA-256. Carried out by ' +
      'any worker; what a crash or the line interrupts goes on where it was. Gated and private models need a token; a ' +
      'bucket must be one that the service lets the namespace read.',
  })
  @HubTokenHeader
  @Posts()
  @Returns(202, Import, 'Written down; follow it at `Location`.')
  @Refuses(403, 503)
  submit(
    @Body({ schema: ImportRequest }) body: ImportRequest,
    @Principal() principal: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Import> {
    const token = hubTokenOf(request.headers['hub-token']);
    return this.imports.submit(body, token, principal, this.effects.of<Import>(request, reply, accepted));
  }

  @Get()
  @ApiOperation({ summary: 'List imports', description: 'Newest first.' })
  @Returns(200, ImportPage)
  list(@Query({ schema: ImportsQuery }) query: ImportsQuery): Promise<Page<Import>> {
    return this.imports.list(query);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Get an import', description: 'With its progress.' })
  @Returns(200, Import)
  @Refuses(404)
  get(@Param({ schema: ImportPath }) { id }: ImportPath): Promise<Import> {
    return this.imports.get(id);
  }

  @Post(':id/cancel')
  @ApiOperation({ summary: 'Cancel an import', description: 'What it had stored is freed.' })
  @Posts()
  @Returns(202, Import)
  @Refuses(404, 409)
  cancel(
    @Param({ schema: ImportPath }) { id }: ImportPath,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Import> {
    return this.imports.cancel(id, this.effects.of<Import>(request, reply, accepted));
  }

  @Post(':id/retry')
  @ApiOperation({
    summary: 'Try a failed or cancelled import again',
    description:
      'With a token again where one is needed, because the first was forgotten. Of the same commit, once that is known; ' +
      'what is stored is not fetched again.',
  })
  @HubTokenHeader
  @Posts()
  @Returns(202, Import)
  @Refuses(404, 409, 503)
  retry(
    @Param({ schema: ImportPath }) { id }: ImportPath,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Import> {
    const token = hubTokenOf(request.headers['hub-token']);
    return this.imports.retry(id, token, this.effects.of<Import>(request, reply, accepted));
  }
}
