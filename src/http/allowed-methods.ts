import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from '../errors.js';
import { pathOf } from './path-of.js';

/**
 * Remembers which methods each path takes, because Fastify answers 404 where HTTP has 405.
 * Must be made before the first route is registered.
 */
export class AllowedMethods {
  readonly #routes = new Map<string, { pattern: RegExp; methods: Set<string> }>();

  constructor(instance: FastifyInstance) {
    instance.addHook('onRoute', ({ url, method }) => {
      const route = this.#routes.get(url) ?? { pattern: patternOf(url), methods: new Set() };
      for (const each of [method].flat()) route.methods.add(each.toUpperCase());
      this.#routes.set(url, route);
    });
  }

  /**
   * Refuses what no route takes: nothing is there at all, or only for other methods. Before the body is looked at, whose type
   * may be refused as well.
   * @throws AppError not_found, method_not_allowed
   */
  require(request: FastifyRequest): void {
    if (!request.is404) return;
    const path = pathOf(request);
    const allow = this.#methodsOf(path);
    if (allow.length === 0) throw new AppError('not_found', `Nothing is served at ${shorten(path)}.`);
    const detail = `${request.method} is not possible here; ${allow.join(', ')} ${allow.length > 1 ? 'are' : 'is'}.`;
    throw new AppError('method_not_allowed', detail, { headers: { allow: allow.join(', ') } });
  }

  /** Methods that a path takes, sorted; empty when no route has it. `path` is without the query. */
  #methodsOf(path: string): string[] {
    const found = [...this.#routes.values()].filter(({ pattern }) => pattern.test(path));
    return [...new Set(found.flatMap(({ methods }) => [...methods]))].sort();
  }
}

function shorten(text: string): string {
  return text.length > 200 ? `${text.slice(0, 197)}...` : text;
}

/** `/v1/models/:namespace/files/*` as a pattern. Linear: each part ends where a slash begins. */
function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => {
    if (part.startsWith(':')) return '[^/]+';
    return part === '*' ? '.+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('/')}$`);
}
