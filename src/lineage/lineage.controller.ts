import { Controller, Get, Param, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Refuses } from '../http/refuses.decorator.js';
import { VersionPath } from '../models/models.schema.js';
import { Lineage, LineageQuery } from './lineage.schema.js';
import { LineageService } from './lineage.service.js';

/** A picture may be opened in a browser: even if a name slipped through, nothing in it may load or run. */
const pictureHeaders = { 'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox" };

@ApiTags('versions')
@Controller('v1/models/:namespace/:name/versions/:version/lineage')
export class LineageController {
  constructor(private readonly lineage: LineageService) {}

  @Get()
  @ApiOperation({
    summary: 'Where a version comes from, and what was made of it',
    description: 'All ancestors and descendants, as JSON or as a picture.',
  })
  @ApiProduces('application/json', 'image/svg+xml', 'text/vnd.mermaid')
  @ApiResponse({ status: 200, standardSchema: Lineage })
  @Refuses(404)
  async get(
    @Param({ schema: VersionPath }) path: VersionPath,
    @Query({ schema: LineageQuery }) { format, limit }: LineageQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Lineage | string> {
    const lineage = await this.lineage.get(path, limit);
    if (format === 'json') return Lineage.parse(lineage);
    void reply.headers(pictureHeaders);
    void reply.type(format === 'svg' ? 'image/svg+xml' : 'text/vnd.mermaid; charset=utf-8');
    return format === 'svg' ? this.lineage.svg(lineage) : this.lineage.mermaid(lineage);
  }
}
