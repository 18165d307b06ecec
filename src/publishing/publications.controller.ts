import {
  applyDecorators,
  Body,
  Controller,
  Get,
  HttpCode,
  Param,
  Post,
  Query,
  Req,
  Res,
  SerializeOptions,
} from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Principal } from '../auth/principal.decorator.js';
import { Effects } from '../http/effects.js';
import type { Page } from '../http/pagination.js';
import { Posts } from '../http/posts.decorator.js';
import { Refuses } from '../http/refuses.decorator.js';
import { AlsoReturns, Returns } from '../http/returns.decorator.js';
import { HubTokenHeader, hubTokenOf } from '../hub/hub-token-header.js';
import { PreviewService } from './preview.service.js';

import {
  Publication,
  PublicationPage,
  PublicationPath,
  PublicationPreview,
  PublicationRequest,
  PublicationsQuery,
} from './publications.schema.js';
import { PublicationsService } from './publications.service.js';
import { SubmittingService } from './submitting.service.js';

const accepted = (publication: Publication) => ({
  status: 202,
  headers: { location: `/v1/publications/${publication.id}` },
});

/** One route, two shapes: what will be done, or what would be. */
const ReturnsEither = applyDecorators(
  AlsoReturns(202, Publication, 'Written down; follow it at `Location`.'),
  AlsoReturns(200, PublicationPreview, 'With `dryRun`: what would be done.'),
  HttpCode(202),
  SerializeOptions({ schema: z.union([PublicationPreview, Publication]) }),
);

@ApiTags('publishing')
@Controller('v1/publications')
export class PublicationsController {
  constructor(
    private readonly submitting: SubmittingService,
    private readonly previews: PreviewService,
    private readonly publications: PublicationsService,
    private readonly effects: Effects,
  ) {}

  @Post()
  @ApiOperation({
    summary: 'Publish a version to the Hub',
    description:
      'Carried out by any worker, however long the line takes: files the Hub has are not sent, what a crash or the line ' +
      'interrupts goes on where it was, and one commit brings all of it. What a licence forbids is refused before ' +
      'anything is sent.',
  })
  @HubTokenHeader
  @Posts()
  @ReturnsEither
  @Refuses(404, 422, 503)
  async submit(
    @Body({ schema: PublicationRequest }) body: PublicationRequest,
    @Principal() principal: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Publication | PublicationPreview> {
    const token = hubTokenOf(request.headers['hub-token']);
    if (!body.dryRun) {
      return this.submitting.submit(body, token, principal, this.effects.of<Publication>(request, reply, accepted));
    }
    const preview = await this.previews.preview(body, token);
    return this.effects.of<PublicationPreview>(request, reply, () => ({ status: 200 }))(() => Promise.resolve(preview));
  }

  @Get()
  @ApiOperation({ summary: 'List publications', description: 'Newest first.' })
  @Returns(200, PublicationPage)
  list(@Query({ schema: PublicationsQuery }) query: PublicationsQuery): Promise<Page<Publication>> {
    return this.publications.list(query);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Get a publication', description: 'With its progress.' })
  @Returns(200, Publication)
  @Refuses(404)
  get(@Param({ schema: PublicationPath }) { id }: PublicationPath): Promise<Publication> {
    return this.publications.get(id);
  }

  @Post(':id/cancel')
  @ApiOperation({
    summary: 'Cancel a publication',
    description: 'Possible until its commit begins. What was sent stays in the store of the Hub, which forgets it.',
  })
  @Posts()
  @Returns(202, Publication)
  @Refuses(404, 409)
  cancel(
    @Param({ schema: PublicationPath }) { id }: PublicationPath,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Publication> {
    return this.publications.cancel(id, this.effects.of<Publication>(request, reply, accepted));
  }

  @Post(':id/retry')
  @ApiOperation({
    summary: 'Try a failed or cancelled publication again',
    description: 'With a token again, because the first one was forgotten; what the Hub has is not sent again.',
  })
  @HubTokenHeader
  @Posts()
  @Returns(202, Publication)
  @Refuses(404, 409, 422)
  retry(
    @Param({ schema: PublicationPath }) { id }: PublicationPath,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Publication> {
    const token = hubTokenOf(request.headers['hub-token']);
    return this.publications.retry(id, token, this.effects.of<Publication>(request, reply, accepted));
  }
}
