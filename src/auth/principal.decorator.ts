import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

const principals = new WeakMap<FastifyRequest, string>();

export function setPrincipal(request: FastifyRequest, name: string): void {
  principals.set(request, name);
}

/** Name of the caller's API key. Every request has been through `authenticate`, so a missing one is a defect. */
export function principalOf(request: FastifyRequest): string {
  const name = principals.get(request);
  if (name === undefined) throw new Error('The request was not authenticated.');
  return name;
}

/** Handler parameter: name of the caller's API key, `local` without keys. */
export const Principal = createParamDecorator((_data: unknown, context: ExecutionContext): string =>
  principalOf(context.switchToHttp().getRequest<FastifyRequest>()),
);
