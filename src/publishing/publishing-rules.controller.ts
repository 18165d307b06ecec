import { Body, Controller, Delete, Get, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Principal } from '../auth/principal.decorator.js';
import { Effects } from '../http/effects.js';
import { type Page, PageQuery } from '../http/pagination.js';
import { Posts } from '../http/posts.decorator.js';
import { Refuses } from '../http/refuses.decorator.js';
import { Returns } from '../http/returns.decorator.js';
import { HubTokenHeader, hubTokenOf } from '../hub/hub-token-header.js';
import { NewPublishingRule, PublicationPath, PublishingRule, PublishingRulePage } from './publications.schema.js';
import { PublishingRulesService } from './publishing-rules.service.js';

@ApiTags('publishing')
@Controller('v1/publishing-rules')
export class PublishingRulesController {
  constructor(
    private readonly rules: PublishingRulesService,
    private readonly effects: Effects,
  ) {}

  @Post()
  @ApiOperation({
    summary: 'Make a publishing rule',
    description:
      'When an alias of a model is pointed to a version, that version is published; both are written down in one ' +
      'transaction. The token is kept encrypted, for the publications of this rule alone.',
  })
  @HubTokenHeader
  @Posts()
  @Returns(201, PublishingRule)
  @Refuses(409, 422)
  create(
    @Body({ schema: NewPublishingRule }) body: NewPublishingRule,
    @Principal() principal: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PublishingRule> {
    const token = hubTokenOf(request.headers['hub-token']);
    const commit = this.effects.of<PublishingRule>(request, reply, ({ id }) => ({
      status: 201,
      headers: { location: `/v1/publishing-rules/${id}` },
    }));
    return this.rules.create(body, token, principal, commit);
  }

  @Get()
  @ApiOperation({ summary: 'List publishing rules', description: 'Newest first.' })
  @Returns(200, PublishingRulePage)
  list(@Query({ schema: PageQuery }) query: PageQuery): Promise<Page<PublishingRule>> {
    return this.rules.list(query);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Get a publishing rule' })
  @Returns(200, PublishingRule)
  @Refuses(404)
  get(@Param({ schema: PublicationPath }) { id }: PublicationPath): Promise<PublishingRule> {
    return this.rules.get(id);
  }

  @Delete(':id')
  @ApiOperation({ summary: 'Delete a publishing rule', description: 'Publications that it has made go on.' })
  @Returns(204)
  @Refuses(404)
  delete(@Param({ schema: PublicationPath }) { id }: PublicationPath): Promise<void> {
    return this.rules.delete(id);
  }
}
