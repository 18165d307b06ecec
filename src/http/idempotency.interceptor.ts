import { createHash } from 'node:crypto';
import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { catchError, concatMap, from, mergeMap, type Observable, of, throwError } from 'rxjs';
import { DataSource } from 'typeorm';
import { principalOf } from '../auth/principal.decorator.js';
import { AppError } from '../errors.js';
import { findClaim, holdClaim } from './effects.js';
import { type Claim, IdempotencyService, type StoredAnswer } from './idempotency.service.js';
import { idempotencyKeyPattern } from './posts.decorator.js';
import { YamlText } from './yaml-text.js';

/**
 * Honours Idempotency-Key on every POST (draft-ietf-httpapi-idempotency-key-header). Only successes are stored: a
 * refusal had no effect, so carrying it out again is harmless and may by then succeed.
 */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(
    private readonly idempotency: IdempotencyService,
    private readonly database: DataSource,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    const header = request.headers['idempotency-key'];
    if (request.method !== 'POST' || header === undefined) return next.handle();
    const claimed = await this.idempotency.claim({
      principal: principalOf(request),
      route: `POST ${request.routeOptions.url ?? ''}`,
      key: keyOf(header),
      fingerprint: fingerprintOf(request),
    });
    if (!('token' in claimed)) return of(replay(reply, claimed));
    holdClaim(request, claimed);
    return next.handle().pipe(
      concatMap(async (body: unknown) => {
        await this.#answerWithoutEffect(request, reply, body);
        return body;
      }),
      catchError((error: unknown) =>
        from(this.#release(request, claimed)).pipe(mergeMap(() => throwError(() => error))),
      ),
    );
  }

  /** POSTs that only compute have no transaction; their answer is stored all the same. */
  async #answerWithoutEffect(request: FastifyRequest, reply: FastifyReply, body: unknown): Promise<void> {
    const claim = findClaim(request);
    if (claim)
      await this.idempotency.answer(this.database.manager, claim, { status: reply.statusCode, headers: {}, body });
  }

  async #release(request: FastifyRequest, claim: Claim): Promise<void> {
    // After the commit there is nothing to give back: a repetition must get the stored answer.
    if (findClaim(request)) await this.idempotency.release(claim);
  }
}

function replay(reply: FastifyReply, { status, headers, body }: StoredAnswer): unknown {
  void reply.status(status).headers(headers).header('idempotent-replayed', 'true');
  return body;
}

/** A structured-field string or, as most clients send it, the bare characters. */
function keyOf(header: string | string[]): string {
  const text = String(header);
  const key = /^"(.*)"$/.exec(text)?.[1] ?? text;
  if (idempotencyKeyPattern.test(key)) return key;
  throw new AppError('idempotency_key_invalid', 'An Idempotency-Key has 1 to 255 visible ASCII characters.', {
    pointer: 'Idempotency-Key',
  });
}

function fingerprintOf(request: FastifyRequest): string {
  const body = request.body instanceof YamlText ? request.body.text : JSON.stringify(request.body ?? null);
  return createHash('sha256').update(`${request.url}\n${body}`).digest('hex');
}
