import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

const principals = new WeakMap<FastifyRequest, string>();

export function setPrincipal(request: FastifyRequest, name: string): void {
  principals.set(request, name);
}

/** Name of the caller's API key. Every route has passed the guard, so a missing one is a defect. */
export function principalOf(request: FastifyRequest): string {
  const name = principals.get(request);
  if (name === undefined) throw new Error('The request has not passed the API key guard.');
  return name;
}

/** Handler parameter: name of the caller's API key, `local` without keys. */
export const Principal = createParamDecorator((_data: unknown, context: ExecutionContext): string =>
  principalOf(context.switchToHttp().getRequest<FastifyRequest>()),
);
