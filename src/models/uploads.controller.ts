import type { Readable } from 'node:stream';
import { Body, Controller, Delete, Get, Param, Post, Put, Req, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiHeader, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Principal } from '../auth/principal.decorator.js';
import { Effects } from '../http/effects.js';
import { Posts } from '../http/posts.decorator.js';
import { Refuses } from '../http/refuses.decorator.js';
import { Returns } from '../http/returns.decorator.js';
import { Streamed } from '../http/streamed.js';
import { ModelPath, Version } from './models.schema.js';
import { UploadCompletion } from './upload-completion.service.js';
import { contentRangePattern, digestPattern, uploadRangeOf } from './upload-range.js';
import { UploadReceiver } from './upload-receiver.service.js';
import { CompleteUpload, Upload, UploadFile, UploadPath } from './uploads.schema.js';
import { UploadsService } from './uploads.service.js';

@ApiTags('uploads')
@Controller('v1')
export class UploadsController {
  constructor(
    private readonly uploads: UploadsService,
    private readonly receiver: UploadReceiver,
    private readonly completion: UploadCompletion,
    private readonly effects: Effects,
  ) {}

  @Post('models/:namespace/:name/uploads')
  @ApiOperation({ summary: 'Begin a version', description: 'PUT its files, then complete it.' })
  @Posts()
  @Returns(201, Upload)
  @Refuses(404)
  create(
    @Param({ schema: ModelPath }) path: ModelPath,
    @Principal() principal: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Upload> {
    const commit = this.effects.of<Upload>(request, reply, (upload) => ({
      status: 201,
      headers: { location: upload.urls.self },
    }));
    return this.uploads.create(path, principal, commit);
  }

  @Get('uploads/:id')
  @ApiOperation({ summary: 'Get an upload', description: 'With how much of each file has been received.' })
  @Returns(200, Upload)
  @Refuses(404)
  get(@Param({ schema: UploadPath }) { id }: UploadPath): Promise<Upload> {
    return this.uploads.get(id);
  }

  @Put('uploads/:id/files/*')
  @Streamed()
  @ApiOperation({
    summary: 'Send a file',
    description:
      'The body is the file, of any content type. A broken request is continued with `Content-Range: bytes ' +
      'FIRST-LAST/TOTAL` at `received`. Sending a file again replaces it.',
  })
  @ApiParam({
    name: 'path',
    description: 'Path of the file; slashes stay as they are.',
    schema: { type: 'string', example: 'config.json' },
  })
  @ApiHeader({
    name: 'X-Content-SHA256',
    required: true,
    description: 'Of the whole file, in hex.',
    schema: { type: 'string', pattern: digestPattern.source },
  })
  @ApiHeader({
    name: 'Content-Range',
    required: false,
    schema: { type: 'string', pattern: contentRangePattern.source, example: 'bytes 0-8388607/16777216' },
  })
  @ApiConsumes('application/octet-stream')
  @ApiBody({ required: true, schema: { type: 'string', format: 'binary' } })
  @Returns(200, UploadFile)
  @Refuses(404, 409, 413, 422)
  put(
    @Param({ schema: UploadPath }) { id }: UploadPath,
    @Param('*') path: string,
    @Body() body: Readable,
    @Req() request: FastifyRequest,
  ): Promise<UploadFile> {
    return this.receiver.receive(id, path, uploadRangeOf(request.headers, path), body);
  }

  @Post('uploads/:id/complete')
  @ApiOperation({
    summary: 'Complete a version',
    description: 'Reads the headers of the files; what no program should load is refused, and the upload discarded.',
  })
  @Posts()
  @Returns(201, Version)
  @Refuses(404, 409, 422)
  complete(
    @Param({ schema: UploadPath }) { id }: UploadPath,
    @Body({ schema: CompleteUpload.optional() }) body: CompleteUpload | undefined,
    @Principal() principal: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Version> {
    const commit = this.effects.of<Version>(request, reply, ({ namespace, name, version }) => ({
      status: 201,
      headers: { location: `/v1/models/${namespace}/${name}/versions/${version}` },
    }));
    return this.completion.complete(id, body ?? {}, principal, commit);
  }

  @Delete('uploads/:id')
  @ApiOperation({ summary: 'Give an upload up', description: 'What it stored is deleted.' })
  @Returns(204)
  @Refuses(404, 409)
  discard(@Param({ schema: UploadPath }) { id }: UploadPath): Promise<void> {
    return this.uploads.discard(id);
  }
}
