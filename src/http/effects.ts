import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DataSource, type EntityManager } from 'typeorm';
import { type Claim, IdempotencyService } from './idempotency.service.js';

/**
 * Runs the one transaction that has a request's effect. A service takes it as an argument: what calls it over HTTP
 * stores the answer for repetitions in the same transaction, what calls it from within does not.
 * Inside, only the manager may be used: the embedded database has one session.
 */
export type Commit<T> = (work: (manager: EntityManager) => Promise<T>) => Promise<T>;

export interface AnswerHead {
  status: number;
  headers?: Record<string, string>;
}

const claims = new WeakMap<FastifyRequest, Claim>();

export function holdClaim(request: FastifyRequest, claim: Claim): void {
  claims.set(request, claim);
}

/** The claim that is not yet answered; undefined without an Idempotency-Key or once the effect is committed. */
export function findClaim(request: FastifyRequest): Claim | undefined {
  return claims.get(request);
}

@Injectable()
export class Effects {
  constructor(
    private readonly database: DataSource,
    private readonly idempotency: IdempotencyService,
  ) {}

  /** A transaction of nobody's request. */
  plain<T>(): Commit<T> {
    return (work) => this.database.transaction(work);
  }

  /**
   * The transaction of a request's effect. Its result is the body of the answer.
   * @param head status and headers of the answer; set on `reply` once committed
   */
  of<T>(request: FastifyRequest, reply: FastifyReply, head: (result: T) => AnswerHead): Commit<T> {
    return async (work) => {
      const claim = findClaim(request);
      const result = await this.database.transaction(async (manager) => {
        const body = await work(manager);
        const { status, headers = {} } = head(body);
        if (claim) await this.idempotency.answer(manager, claim, { status, headers, body });
        return body;
      });
      claims.delete(request);
      const { status, headers = {} } = head(result);
      void reply.status(status).headers(headers);
      return result;
    };
  }
}
