import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import type { Config } from '../config.js';
import { AppError } from '../errors.js';
import { CONFIG } from '../platform/tokens.js';
import { findPrincipal, localPrincipal } from './api-keys.js';
import { setPrincipal } from './principal.decorator.js';
import { publicKey } from './public.decorator.js';

/** With one or more keys every route needs one, but those marked `@Public()`; without, the caller is `local`. */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const isPublic = this.reflector.getAllAndOverride<boolean>(publicKey, [context.getHandler(), context.getClass()]);
    setPrincipal(request, isPublic || this.config.apiKeys.length === 0 ? localPrincipal : this.#authenticate(request));
    return true;
  }

  /** One answer for an absent, a malformed and an unknown key: nothing to learn from the difference. */
  #authenticate(request: FastifyRequest): string {
    const [, key] = /^Bearer +(\S{1,512}) *$/i.exec(request.headers.authorization ?? '') ?? [];
    const name = key === undefined ? undefined : findPrincipal(this.config.apiKeys, key);
    if (name !== undefined) return name;
    throw new AppError('unauthenticated', 'Send a valid API key: Authorization: Bearer KEY.', {
      headers: { 'www-authenticate': 'Bearer realm="amalgam"' },
    });
  }
}
