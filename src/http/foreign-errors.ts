import { HttpException } from '@nestjs/common';
import { AppError, type ErrorCode } from '../errors.js';
import { StorageError } from '../storage/object-store.js';

/** Fastify's errors that a client can cause, and the sentence that helps. */
const ofFastify: Record<string, [ErrorCode, string]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['body_too_large', 'The body may have at most 65,536 bytes.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'unsupported_media_type',
    'Send application/json, or application/yaml for a recipe.',
  ],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['malformed_body', 'The body is empty, though its type is JSON.'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['malformed_body', 'The body is not valid JSON.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['malformed_body', 'The body is shorter or longer than Content-Length says.'],
  FST_ERR_BAD_URL: ['malformed_url', 'The path has a percent sign that is followed by no valid escape.'],
  FST_ERR_MAX_PARAM_LENGTH: ['url_too_long', 'A part of the path is too long.'],
  FST_ERR_ASYNC_CONSTRAINT: ['malformed_url', 'The URL cannot be routed.'],
};

const byStatus: Partial<Record<number, ErrorCode>> = {
  400: 'malformed_body',
  404: 'not_found',
  408: 'request_timeout',
  413: 'body_too_large',
  414: 'url_too_long',
  415: 'unsupported_media_type',
  431: 'headers_too_large',
  503: 'unavailable',
};

/** Of PostgreSQL and of sockets: the database is starting, stopping, full or not there; trying again may help. */
const unavailable =
  /^(?:08|53|57P|55P03)|^(?:ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|ENOSPC|EDQUOT)$/;

/** Of PostgreSQL: text with a NUL, or a number beyond its column. Only what a client sent can have either. */
const unstorable = /^(?:22003|22021|22P05)$/;

/** Errors of libraries in our words. Whatever is not known is a defect, and its text stays in the log. */
export function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof StorageError) return ofStorage(error);
  const { code, statusCode, message } = fieldsOf(error);
  const known = code === undefined ? undefined : ofFastify[code];
  if (known) return new AppError(known[0], known[1]);
  if (code !== undefined && unstorable.test(code)) {
    return new AppError('invalid_request', 'The request has a NUL character or a number that is out of range.', {
      cause: error,
    });
  }
  if (code !== undefined && unavailable.test(code)) {
    return new AppError('unavailable', 'Something this service depends on cannot be reached; try again.', {
      headers: { 'retry-after': '5' },
      cause: error,
    });
  }
  const status = error instanceof HttpException ? error.getStatus() : statusCode;
  const general = status === undefined ? undefined : byStatus[status];
  if (general) return new AppError(general, message.endsWith('.') ? message : `${message}.`, { cause: error });
  return new AppError('internal_error', 'The request could not be carried out; the log has the reason.', {
    cause: error,
  });
}

/** A client cannot make an object of ours vanish, so anything but a full or absent store is a defect. */
function ofStorage(error: StorageError): AppError {
  if (error.sourceCode) return new AppError(error.sourceCode, error.message, { cause: error });
  if (error.code === 'storage_full') {
    return new AppError('storage_full', 'The object store is full; nothing was kept.', { cause: error });
  }
  if (error.code === 'storage_unavailable') {
    return new AppError('unavailable', 'The object store cannot be reached; try again.', {
      headers: { 'retry-after': '5' },
      cause: error,
    });
  }
  return new AppError('internal_error', 'The request could not be carried out; the log has the reason.', {
    cause: error,
  });
}

function fieldsOf(error: unknown): { code?: string; statusCode?: number; message: string } {
  if (typeof error !== 'object' || error === null) return { message: '' };
  const { code, statusCode, message } = error as { code?: unknown; statusCode?: unknown; message?: unknown };
  return {
    ...(typeof code === 'string' && { code }),
    ...(typeof statusCode === 'number' && { statusCode }),
    message: typeof message === 'string' ? message : '',
  };
}
