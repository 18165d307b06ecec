import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { EngineError } from '../engine/index.js';
import {
  AppError,
  type AppErrorOptions,
  catalogue,
  type CatalogueEntry,
  type ErrorCode,
  recipeEntry,
} from '../errors.js';
import type { Logger } from '../platform/logger.js';
import { RecipeError } from '../recipe/index.js';
import { asAppError } from './foreign-errors.js';
import { pathOf } from './path-of.js';
import type { Problem } from './problem.schema.js';

export const problemType = 'application/problem+json';

interface Refusal extends CatalogueEntry {
  code: string;
  detail: string;
  options: AppErrorOptions;
}

/** The only place that knows how a refusal looks over HTTP (RFC 9457), whoever refused. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const refusal = refusalOf(error);
    this.#log(refusal, error, request);
    if (reply.raw.headersSent) {
      // Half an answer cannot be taken back; cutting the connection is the only honest end.
      reply.raw.destroy();
      return;
    }
    sendProblem(reply, refusal, request);
  }

  #log(refusal: Refusal, error: unknown, request: FastifyRequest): void {
    const { code, status, level, detail } = refusal;
    const fields = { requestId: request.id, method: request.method, path: pathOf(request), code, status };
    if (level === 'error' || level === 'warn') this.logger[level]({ ...fields, err: causeOf(error) }, detail);
    else this.logger[level](fields, detail);
  }
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof RecipeError) {
    const errors = error.issues.map(({ message, ...issue }) => ({ ...issue, detail: message }));
    return { ...recipeEntry, code: error.code, detail: error.message, options: { errors } };
  }
  if (error instanceof EngineError) return ofEngine(error);
  const known = asAppError(error);
  return { ...catalogue[known.code], code: known.code, detail: known.message, options: known.options };
}

/** Answers with a refusal; headers of the answer that was meant to be are taken back. */
export function sendProblem(reply: FastifyReply, refusal: Refusal, request: FastifyRequest): void {
  for (const header of ['content-range', 'content-length', 'etag', 'content-disposition', 'accept-ranges']) {
    void reply.removeHeader(header);
  }
  void reply.headers(refusal.options.headers ?? {});
  void reply.status(refusal.status).headers({ 'content-type': problemType, 'cache-control': 'no-store' });
  void reply.send(JSON.stringify(problemOf(refusal, request)));
}

/** The body of a refusal, for the places that Nest does not reach. */
export function problemOf(refusal: Refusal, request: { id: string; url: string }): Problem {
  const { code, title, status, detail, options } = refusal;
  const single = options.pointer === undefined ? undefined : [{ pointer: options.pointer, detail, code }];
  const errors = options.errors?.map((item) => ({ ...item })) ?? single;
  return {
    ...options.extra,
    type: `urn:amalgam:problem:${code}`,
    title,
    status,
    detail,
    instance: pathOf(request),
    code,
    requestId: request.id,
    ...(errors && { errors }),
  };
}

export function refusal(code: ErrorCode, detail: string, options: AppErrorOptions = {}): Refusal {
  return { ...catalogue[code], code, detail, options };
}

function ofEngine({ code, message, details }: EngineError): Refusal {
  const { pointer, ...extra } = details;
  return { ...catalogue[code], code, detail: message, options: { extra, ...(pointer !== undefined && { pointer }) } };
}

/** The reason, rather than our words for it. */
function causeOf(error: unknown): unknown {
  return error instanceof AppError && error.cause !== undefined ? error.cause : error;
}
