import { Body, Controller, Get, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Principal } from '../auth/principal.decorator.js';
import { Effects } from '../http/effects.js';
import { Posts } from '../http/posts.decorator.js';
import { Refuses } from '../http/refuses.decorator.js';
import { Returns } from '../http/returns.decorator.js';
import { VersionPath } from '../models/models.schema.js';
import { ApproveLicence, LicenceQuery, VersionLicence } from './licences.schema.js';
import { LicencesService } from './licences.service.js';

@ApiTags('versions')
@Controller('v1/models/:namespace/:name/versions/:version/licence')
export class LicencesController {
  constructor(
    private readonly licences: LicencesService,
    private readonly effects: Effects,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'Whether the licences let a version be published',
    description: 'Over all ancestors. Engineering policy, not legal advice.',
  })
  @Returns(200, VersionLicence)
  @Refuses(404)
  get(
    @Param({ schema: VersionPath }) path: VersionPath,
    @Query({ schema: LicenceQuery }) { commercial }: LicenceQuery,
  ): Promise<VersionLicence> {
    return this.licences.assess(referenceOf(path), { commercial });
  }

  @Post('approvals')
  @ApiOperation({
    summary: 'Approve what the licence policy leaves to a person',
    description:
      'Lifts `needs-approval` for this version as it is judged now, never `deny`. The name of the API key is recorded with ' +
      'the reason.',
  })
  @Posts()
  @Returns(201, VersionLicence)
  @Refuses(404, 409)
  approve(
    @Param({ schema: VersionPath }) path: VersionPath,
    @Body({ schema: ApproveLicence }) body: ApproveLicence,
    @Principal() principal: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<VersionLicence> {
    const commit = this.effects.of<VersionLicence>(request, reply, () => ({ status: 201 }));
    return this.licences.approve(referenceOf(path), body, principal, commit);
  }
}

function referenceOf({ namespace, name, version }: VersionPath): string {
  return `${namespace}/${name}@${version}`;
}
