import type { FastifyInstance } from 'fastify';

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

  /** Methods that a path takes, sorted; empty when no route has it. `path` is without the query. */
  of(path: string): string[] {
    const found = [...this.#routes.values()].filter(({ pattern }) => pattern.test(path));
    return [...new Set(found.flatMap(({ methods }) => [...methods]))].sort();
  }
}

/** `/v1/models/:namespace/files/*` as a pattern. Linear: each part ends where a slash begins. */
function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => {
    if (part.startsWith(':')) return '[^/]+';
    return part === '*' ? '.+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('/')}$`);
}
