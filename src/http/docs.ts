import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { OpenAPIObject } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';

const require = createRequire(import.meta.url);
const folder = dirname(require.resolve('swagger-ui-dist/package.json'));
const assets = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
} as const;

const html = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Amalgam</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css">
    <link rel="icon" href="/docs/favicon-32x32.png">
  </head>
  <body>
    <div id="ui"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

const start = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#ui',
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  validatorUrl: null,
});
`;

/** All of it comes from this server, and nothing of it may talk to another. Swagger UI sets styles and draws its icons inline. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/**
 * Serves Swagger UI at /docs and the document that it shows at /openapi.json.
 * @param createDocument called when somebody asks for it first: to make it takes a while, and most processes are never asked
 */
export function serveDocs(instance: FastifyInstance, createDocument: () => OpenAPIObject): void {
  let text: string | undefined;
  instance.get('/openapi.json', (_request, reply) => {
    text ??= JSON.stringify(createDocument());
    return reply.type('application/json').send(text);
  });
  instance.get('/docs', (_request, reply) => {
    void reply.headers({ 'content-security-policy': policy, 'cache-control': 'no-cache' });
    return reply.type('text/html; charset=utf-8').send(html);
  });
  instance.get('/docs/start.js', (_request, reply) => reply.type('text/javascript; charset=utf-8').send(start));
  for (const [name, type] of Object.entries(assets)) {
    const bytes = readFileSync(join(folder, name));
    instance.get(`/docs/${name}`, (_request, reply) => {
      return reply.type(type).header('cache-control', 'public, max-age=3600').send(bytes);
    });
  }
  for (const path of ['/', '/docs/']) instance.get(path, (_request, reply) => reply.redirect('/docs'));
}
