import { Readable } from 'node:stream';
import { Controller, Get, Inject, Param, Req, Res, StreamableFile } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../errors.js';
import { etag, isNotModified, namesTag } from '../http/etag.js';
import { byteRangeOf } from '../http/byte-range.js';
import { Refuses } from '../http/refuses.decorator.js';
import { OBJECT_STORE } from '../platform/tokens.js';
import type { ObjectStore } from '../storage/object-store.js';
import { VersionPath } from './models.schema.js';
import { VersionsService } from './versions.service.js';

/** The type follows from the name. */
const anyFile = { '*/*': { schema: {} } };

@ApiTags('versions')
@Controller('v1/models/:namespace/:name/versions/:version/files')
export class FilesController {
  constructor(
    private readonly versions: VersionsService,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
  ) {}

  @Get('*')
  @ApiOperation({
    summary: 'Download a file',
    description: 'The ETag is the SHA-256 of the file. One `Range: bytes=...` is honoured; HEAD tells size and digest.',
  })
  @ApiParam({
    name: 'path',
    description: 'Path of the file; slashes stay as they are.',
    schema: { type: 'string', example: 'config.json' },
  })
  @ApiHeader({ name: 'Range', required: false, schema: { type: 'string' } })
  @ApiResponse({
    status: 200,
    description: 'The whole file.',
    content: anyFile,
  })
  @ApiResponse({ status: 206, description: 'The range.', content: anyFile })
  @ApiResponse({ status: 304, description: 'The client has it.' })
  @Refuses(404, 410, 416)
  async download(
    @Param({ schema: VersionPath }) path: VersionPath,
    @Param('*') file: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile | undefined> {
    const { sha256, bytes, objectKey, mediaType } = await this.versions.getFile(path, file);
    const tag = etag(sha256);
    void reply.headers({
      etag: tag,
      'accept-ranges': 'bytes',
      'x-content-sha256': sha256,
      'content-disposition': `attachment; filename="${file.split('/').at(-1) ?? 'file'}"`,
      // A version's files never change, but its name in the URL may be an alias.
      'cache-control': /^\d+$/.test(path.version) ? 'private, max-age=31536000, immutable' : 'private, no-cache',
    });
    if (isNotModified(request, tag)) {
      void reply.status(304);
      return undefined;
    }
    const range = rangeOf(request, tag, bytes);
    if (range) void reply.status(206).header('content-range', `bytes ${range.first}-${range.last}/${bytes}`);
    const length = range ? range.last - range.first + 1 : bytes;
    void reply.header('content-type', mediaType).header('content-length', length);
    // Nest sends nothing of it for HEAD, so nothing is opened.
    const isHead = request.method === 'HEAD';
    const body = isHead ? Readable.from([]) : await this.store.read(objectKey, { offset: range?.first ?? 0, length });
    return new StreamableFile(body, { length });
  }
}

/** If-Range with another tag means: the rest of something else is of no use, send it all. */
function rangeOf(request: FastifyRequest, tag: string, bytes: number): { first: number; last: number } | undefined {
  const ifRange = request.headers['if-range'];
  if (ifRange !== undefined && !namesTag(String(ifRange), tag)) return undefined;
  const range = byteRangeOf(request.headers.range, bytes);
  if (range !== 'unsatisfiable') return range;
  throw new AppError('range_not_satisfiable', `The file has ${bytes} bytes.`, {
    pointer: 'Range',
    headers: { 'content-range': `bytes */${bytes}` },
  });
}
