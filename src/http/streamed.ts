import { applyDecorators } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from '../errors.js';

const streamType = 'application/octet-stream';

/** Marks a route whose body is bytes of any type and any length: `@Body()` is then the stream itself, nothing is held. */
export function Streamed(): MethodDecorator & ClassDecorator {
  return applyDecorators(RouteConfig({ streamed: true }));
}

export function isStreamed(request: FastifyRequest): boolean {
  return (request.routeOptions.config as { streamed?: boolean }).streamed === true;
}

/** Fastify chooses a parser by the content type; for these routes there must be only one, whatever the client says. */
export function acceptStreams(instance: FastifyInstance): void {
  instance.addHook('onRequest', (request, _reply, done) => {
    if (isStreamed(request)) request.headers['content-type'] = streamType;
    done();
  });
  instance.addContentTypeParser(streamType, (request, payload, done) => {
    if (isStreamed(request)) done(null, payload);
    else done(new AppError('unsupported_media_type', 'This resource takes application/json.'));
  });
}
