import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Page, PageQuery } from '../http/pagination.js';
import { Refuses } from '../http/refuses.decorator.js';
import { Returns } from '../http/returns.decorator.js';
import { ModelPath, Version, VersionPage, VersionPath, type VersionSummary } from './models.schema.js';
import { VersionsService } from './versions.service.js';

@ApiTags('versions')
@Controller('v1/models/:namespace/:name/versions')
export class VersionsController {
  constructor(private readonly versions: VersionsService) {}

  @Get()
  @ApiOperation({ summary: 'List the versions of a model', description: 'Newest first.' })
  @Returns(200, VersionPage)
  @Refuses(404)
  list(
    @Param({ schema: ModelPath }) path: ModelPath,
    @Query({ schema: PageQuery }) query: PageQuery,
  ): Promise<Page<VersionSummary>> {
    return this.versions.list(path, query);
  }

  @Get(':version')
  @ApiOperation({ summary: 'Get a version', description: 'With its files. A version never changes, its aliases do.' })
  @Returns(200, Version)
  @Refuses(404)
  get(@Param({ schema: VersionPath }) path: VersionPath): Promise<Version> {
    return this.versions.get(path);
  }
}
