import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../errors.js';

/** A strong entity tag of something that has a name for its state, such as a digest or a revision. */
export function etag(state: string): string {
  return `"${state}"`;
}

/** Whether If-None-Match or If-Match names the tag. `W/` is ignored: RFC 9110 compares weakly for If-None-Match. */
export function namesTag(header: string, tag: string): boolean {
  return header.trim() === '*' || header.split(',').some((each) => each.trim().replace(/^W\//, '') === tag);
}

/**
 * Gives every JSON answer to a read a tag over its bytes, and answers 304 when the client has them: progress, lists and
 * descriptions alike. Answers that have a tag of their own (files, aliases) keep it.
 */
export function tagReads(instance: FastifyInstance): void {
  instance.addHook('onSend', (request, reply, payload, done) => {
    if (!isRead(request) || reply.statusCode !== 200) return done(null, payload);
    if (!reply.hasHeader('etag')) {
      if (typeof payload !== 'string' || !isJson(reply)) return done(null, payload);
      reply.header('etag', etag(createHash('sha256').update(payload).digest('base64url')));
    }
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-cache');
    if (typeof payload !== 'string' || !isNotModified(request, String(reply.getHeader('etag')))) {
      return done(null, payload);
    }
    reply.code(304).removeHeader('content-type').removeHeader('content-length');
    done(null, null);
  });
}

export function isNotModified(request: FastifyRequest, tag: string): boolean {
  const header = request.headers['if-none-match'];
  return header !== undefined && namesTag(header, tag);
}

/** What a write may assume about the resource it replaces. */
export interface Preconditions {
  ifMatch?: string;
  ifNoneMatch?: string;
}

export function preconditionsOf(headers: FastifyRequest['headers']): Preconditions {
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = headers;
  return { ...(ifMatch !== undefined && { ifMatch }), ...(ifNoneMatch !== undefined && { ifNoneMatch }) };
}

/**
 * @param current tag of what is there; undefined when there is nothing
 * @throws AppError precondition_failed
 */
export function requirePreconditions({ ifMatch, ifNoneMatch }: Preconditions, current: string | undefined): void {
  if (ifMatch !== undefined && (current === undefined || !namesTag(ifMatch, current))) {
    const now = current === undefined ? 'there is nothing' : `it is now ${current}`;
    throw new AppError('precondition_failed', `If-Match names another state than the present one: ${now}.`, {
      pointer: 'If-Match',
    });
  }
  if (ifNoneMatch !== undefined && current !== undefined && namesTag(ifNoneMatch, current)) {
    throw new AppError('precondition_failed', 'If-None-Match forbids to replace what is there.', {
      pointer: 'If-None-Match',
    });
  }
}

function isRead(request: FastifyRequest): boolean {
  return request.method === 'GET' || request.method === 'HEAD';
}

function isJson(reply: FastifyReply): boolean {
  return String(reply.getHeader('content-type') ?? '').startsWith('application/json');
}
