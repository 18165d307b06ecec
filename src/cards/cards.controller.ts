import { Controller, Get, Header, Inject, Param, StreamableFile } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Refuses } from '../http/refuses.decorator.js';
import { VersionPath } from '../models/models.schema.js';
import { VersionsService } from '../models/versions.service.js';
import { OBJECT_STORE } from '../platform/tokens.js';
import type { ObjectStore } from '../storage/object-store.js';

@ApiTags('versions')
@Controller('v1/models/:namespace/:name/versions/:version/card')
export class CardsController {
  constructor(
    private readonly versions: VersionsService,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
  ) {}

  @Get()
  @Header('content-type', 'text/markdown; charset=utf-8')
  @ApiOperation({ summary: "Read a version's model card", description: 'README.md, as Markdown with front matter.' })
  @ApiResponse({ status: 200, content: { 'text/markdown': { schema: { type: 'string' } } } })
  @Refuses(404)
  async get(@Param({ schema: VersionPath }) path: VersionPath): Promise<StreamableFile> {
    const { objectKey, bytes: length } = await this.versions.getFile(path, 'README.md');
    return new StreamableFile(await this.store.read(objectKey), { length, type: 'text/markdown; charset=utf-8' });
  }
}
