import { Readable } from 'node:stream';
import { Controller, Get, Header, Param, StreamableFile } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Refuses } from '../http/refuses.decorator.js';
import { VersionPath } from '../models/models.schema.js';
import { CardsService } from './cards.service.js';

@ApiTags('versions')
@Controller('v1/models/:namespace/:name/versions/:version/card')
export class CardsController {
  constructor(private readonly cards: CardsService) {}

  @Get()
  @Header('content-type', 'text/markdown; charset=utf-8')
  @ApiOperation({
    summary: "Read a version's model card",
    description:
      'README.md, as Markdown with front matter. What is known since it was written, such as an approval, stands before its ' +
      'text; the stored file stays as it is.',
  })
  @ApiResponse({ status: 200, content: { 'text/markdown': { schema: { type: 'string' } } } })
  @Refuses(404)
  async get(@Param({ schema: VersionPath }) path: VersionPath): Promise<StreamableFile> {
    const { bytes, content } = await this.cards.open(path);
    return new StreamableFile(Readable.from(content), { length: bytes, type: 'text/markdown; charset=utf-8' });
  }
}
