import { Body, Controller, Delete, Get, Param, Put, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { preconditionsOf } from '../http/etag.js';
import { Refuses } from '../http/refuses.decorator.js';
import { AlsoReturns, Returns } from '../http/returns.decorator.js';
import { AliasesService } from './aliases.service.js';
import { Alias, AliasList, AliasPath, ModelPath, MoveAlias } from './models.schema.js';

const IfMatch = ApiHeader({
  name: 'If-Match',
  required: false,
  description: 'ETag of the alias as you know it, or `*`; needed to move one that points elsewhere.',
  schema: { type: 'string' },
});

@ApiTags('aliases')
@Controller('v1/models/:namespace/:name/aliases')
export class AliasesController {
  constructor(private readonly aliases: AliasesService) {}

  @Get()
  @ApiOperation({ summary: 'List the aliases of a model' })
  @Returns(200, AliasList)
  @Refuses(404)
  async list(@Param({ schema: ModelPath }) path: ModelPath): Promise<AliasList> {
    return { items: await this.aliases.list(path) };
  }

  @Get(':alias')
  @ApiOperation({ summary: 'Get an alias', description: 'Its ETag is what If-Match takes.' })
  @Returns(200, Alias)
  @Refuses(404)
  async get(
    @Param({ schema: AliasPath }) path: AliasPath,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Alias> {
    const alias = await this.aliases.get(path);
    void reply.header('etag', alias.etag);
    return alias;
  }

  @Put(':alias')
  @ApiOperation({
    summary: 'Make or move an alias',
    description: 'A new alias needs no precondition; `If-None-Match: *` makes sure that it is new.',
  })
  @IfMatch
  @ApiHeader({ name: 'If-None-Match', required: false, schema: { type: 'string' } })
  @Returns(200, Alias, 'It existed.')
  @AlsoReturns(201, Alias, 'It is new.')
  @Refuses(404, 409, 410, 412, 428)
  async put(
    @Param({ schema: AliasPath }) path: AliasPath,
    @Body({ schema: MoveAlias }) body: MoveAlias,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Alias> {
    const { alias, created } = await this.aliases.put(path, body.version, preconditionsOf(request.headers));
    void reply.status(created ? 201 : 200).header('etag', alias.etag);
    return alias;
  }

  @Delete(':alias')
  @ApiOperation({ summary: 'Delete an alias', description: 'The version stays.' })
  @IfMatch
  @Returns(204)
  @Refuses(404, 409, 412)
  delete(@Param({ schema: AliasPath }) path: AliasPath, @Req() request: FastifyRequest): Promise<void> {
    return this.aliases.delete(path, preconditionsOf(request.headers));
  }
}
