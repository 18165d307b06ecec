import type { FastifyRequest } from 'fastify';
import { AppError } from '../errors.js';
import { findPrincipal, localPrincipal, type NamedKey } from './api-keys.js';
import { setPrincipal } from './principal.decorator.js';

/**
 * Finds out who calls, before anything of the body is read. With one or more keys everything under /v1 needs one;
 * without, the caller is `local`.
 * @throws AppError unauthenticated: one answer for an absent, a malformed and an unknown key
 */
export function authenticate(request: FastifyRequest, keys: readonly NamedKey[]): void {
  if (keys.length === 0 || !isProtected(request)) {
    setPrincipal(request, localPrincipal);
    return;
  }
  const [, key] = /^Bearer +(\S{1,512}) *$/i.exec(request.headers.authorization ?? '') ?? [];
  const name = key === undefined ? undefined : findPrincipal(keys, key);
  if (name === undefined) {
    throw new AppError('unauthenticated', 'Send a valid API key: Authorization: Bearer KEY.', {
      headers: { 'www-authenticate': 'Bearer realm="amalgam"' },
    });
  }
  setPrincipal(request, name);
}

/** By the route that was found, because a path has many spellings; what has no route is told apart by its own. */
function isProtected(request: FastifyRequest): boolean {
  const path = request.routeOptions.url ?? request.url;
  return /^\/v1(?:[/?]|$)/.test(path);
}
