import { Body, Controller, Delete, Get, Param, Put, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Principal } from '../auth/principal.decorator.js';
import { type Page, PageQuery } from '../http/pagination.js';
import { Refuses } from '../http/refuses.decorator.js';
import { AlsoReturns, Returns } from '../http/returns.decorator.js';
import { HubToken, HubTokenPage, HubTokenPath, NewHubToken } from './hub-tokens.schema.js';
import { HubTokens } from './hub-tokens.service.js';

@ApiTags('hub-tokens')
@Controller('v1/hub-tokens')
export class HubTokensController {
  constructor(private readonly tokens: HubTokens) {}

  @Get()
  @ApiOperation({
    summary: 'List the namespaces that have a token of the Hub',
    description: 'In the order of their names, with who set it and when. The tokens themselves are never shown.',
  })
  @Returns(200, HubTokenPage)
  list(@Query({ schema: PageQuery }) query: PageQuery): Promise<Page<HubToken>> {
    return this.tokens.list(query);
  }

  @Put(':namespace')
  @ApiOperation({
    summary: 'Set the token of a namespace',
    description:
      'What is imported into the namespace, and what is published of its models, uses it when the request brought no ' +
      '`Hub-Token`. It replaces the one that was set; what is under way uses the new one from its next attempt on.',
  })
  @Returns(200, HubToken, 'It was replaced.')
  @AlsoReturns(201, HubToken, 'It is new.')
  @Refuses(503)
  async put(
    @Param({ schema: HubTokenPath }) { namespace }: HubTokenPath,
    @Body({ schema: NewHubToken }) body: NewHubToken,
    @Principal() principal: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<HubToken> {
    const { token, created } = await this.tokens.put(namespace, body.token, principal);
    void reply.status(created ? 201 : 200);
    return token;
  }

  @Delete(':namespace')
  @ApiOperation({
    summary: 'Delete the token of a namespace',
    description: 'What is under way uses it no longer from its next attempt on.',
  })
  @Returns(204)
  @Refuses(404)
  delete(@Param({ schema: HubTokenPath }) { namespace }: HubTokenPath): Promise<void> {
    return this.tokens.delete(namespace);
  }
}
