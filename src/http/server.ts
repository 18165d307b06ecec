import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { NamedKey } from '../auth/api-keys.js';
import { authenticate } from '../auth/authenticate.js';
import type { ErrorCode } from '../errors.js';
import type { Logger } from '../platform/logger.js';
import { AllowedMethods } from './allowed-methods.js';
import { asAppError } from './foreign-errors.js';
import { tagReads } from './etag.js';
import * as limits from './limits.js';
import { requireSameOrigin } from './origin.js';
import { pathOf } from './path-of.js';
import { problemOf, problemType, refusal, sendProblem } from './problem.filter.js';
import { acceptStreams, isStreamed } from './streamed.js';
import { acceptYaml } from './yaml-text.js';

/**
 * The Fastify server under Nest, with every limit and header that holds for all routes, Swagger UI's included.
 * Without API keys it answers programs of this machine and its own pages only.
 */
export function createServer(apiKeys: readonly NamedKey[], logger: Logger): FastifyAdapter {
  const adapter = new FastifyAdapter({
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    bodyLimit: limits.bodyLimitBytes,
    routerOptions: { maxParamLength: limits.maxParamLength },
    // The whole request, body included: uploads may take hours, so only headers and small bodies have a limit.
    requestTimeout: 0,
    connectionTimeout: limits.idleTimeoutMs,
    http: { headersTimeout: limits.headersTimeoutMs, maxHeaderSize: limits.maxHeaderBytes },
    trustProxy: false,
    forceCloseConnections: true,
    frameworkErrors: refuseUrl,
    clientErrorHandler: refuseConnection,
  });
  const instance = adapter.getInstance<FastifyInstance>();
  instance.server.maxConnections = limits.maxConnections;
  const allowedMethods = new AllowedMethods(instance);
  instance.addHook('onRequest', (request, reply, done) => {
    reply.headers({ 'x-request-id': request.id, ...securityHeaders });
    if (apiKeys.length === 0) requireSameOrigin(request);
    authenticate(request, apiKeys);
    allowedMethods.require(request);
    limitBodyTime(request, reply);
    done();
  });
  // A form on any page can post text without asking; nothing here takes it.
  instance.removeContentTypeParser('text/plain');
  acceptYaml(instance);
  acceptStreams(instance);
  tagReads(instance);
  logRequests(instance, logger);
  return adapter;
}

const securityHeaders = {
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
};

/** Node's own limit covers uploads too, so small bodies have this one: a trickle of bytes must not hold a socket. */
function limitBodyTime(request: FastifyRequest, reply: FastifyReply): void {
  const hasBody = request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
  if (!hasBody || isStreamed(request)) return;
  const timer = setTimeout(() => request.raw.destroy(), limits.bodyTimeoutMs);
  timer.unref();
  request.raw.once('end', () => clearTimeout(timer));
  reply.raw.once('close', () => clearTimeout(timer));
}

function logRequests(instance: FastifyInstance, logger: Logger): void {
  instance.addHook('onResponse', (request, reply, done) => {
    const fields = {
      requestId: request.id,
      method: request.method,
      path: pathOf(request),
      status: reply.statusCode,
      milliseconds: Math.round(reply.elapsedTime),
    };
    logger.debug(fields, 'answered');
    done();
  });
}

/** What the router refuses reaches neither hooks nor filters. */
function refuseUrl(error: Error, request: FastifyRequest, reply: FastifyReply): void {
  const { code, message, options } = asAppError(error);
  void reply.headers({ 'x-request-id': request.id, ...securityHeaders });
  sendProblem(reply, refusal(code, message, options), request);
}

const ofNode: Record<string, [ErrorCode, string]> = {
  HPE_HEADER_OVERFLOW: ['headers_too_large', 'The request line and headers may have at most 16,384 bytes.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 'The headers did not arrive within 15 s.'],
};

/** What Node's parser refuses never becomes a request; the answer is written by hand. */
function refuseConnection(this: FastifyInstance, error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [code, detail] = ofNode[error.code ?? ''] ?? ['malformed_header', 'This is not a valid HTTP/1.1 request.'];
  const problem = problemOf(refusal(code, detail), { id: randomUUID(), url: '' });
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}\r\nContent-Type: ${problemType}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
