import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { type Api, startApi } from '../support/api.js';

type Scalar = string | number | boolean;

interface Schema {
  $ref?: string;
  /** Of a parameter a scalar, of a body an object. */
  example?: unknown;
  properties?: Record<string, Schema>;
  [keyword: string]: unknown;
}
interface Operation {
  operationId: string;
  tags?: string[];
  summary?: string;
  parameters?: { name: string; in: string; required?: boolean; schema: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { description: string; content?: Record<string, { schema: Schema }> }>;
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
  tags: { name: string }[];
}

let api: Api;
let document: Document;
let operations: { path: string; method: string; operation: Operation }[];

beforeAll(async () => {
  api = await startApi({ AMALGAM_SAMPLES: 'true' });
  document = (await api.client.get('/openapi.json')).body as unknown as Document;
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
}, 120_000);

afterAll(() => api.close());

const name = ({ method, path }: { method: string; path: string }) => `${method} ${path}`;

describe('the document', () => {
  test('is the committed one (npm run openapi)', () => {
    const committed = readFileSync(new URL('../../openapi/openapi.json', import.meta.url), 'utf8');
    expect(document).toEqual(JSON.parse(committed));
  });

  test('is OpenAPI 3.1 whose references lead somewhere', () => {
    expect(document.openapi).toBe('3.1.0');
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)];
    expect(references.length).toBeGreaterThan(50);
    for (const [, target = ''] of references) expect(Object.keys(document.components.schemas)).toContain(target);
    expect(JSON.stringify(document)).not.toContain('$defs');
  });

  test('names every operation, what it is for, and what a refusal looks like', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const each of operations) {
      const { operation } = each;
      expect([name(each), document.tags.some((tag) => tag.name === operation.tags?.[0])]).toEqual([name(each), true]);
      expect([name(each), Boolean(operation.summary) || each.path.endsWith('z')]).toEqual([name(each), true]);
      const refusal = operation.responses['default']?.content?.['application/problem+json']?.schema;
      expect([name(each), refusal]).toEqual([name(each), { $ref: '#/components/schemas/Problem' }]);
    }
  });

  test('lists every route of the server, and no other', () => {
    const server: FastifyInstance = api.app.getHttpAdapter().getInstance();
    // Swagger UI's own files, the document, and / are no part of the API.
    const pages = ['/openapi.json', '/docs', '/docs/', '/docs/start.js', '/docs/swagger-ui.css', '/'];
    pages.push('/docs/swagger-ui-bundle.js', '/docs/favicon-32x32.png');
    for (const url of pages) expect([url, server.hasRoute({ method: 'GET', url })]).toEqual([url, true]);
    const served = [...server.printRoutes({ commonPrefix: false }).matchAll(/\((.+)\)$/gm)]
      .flatMap(([, methods = '']) => methods.split(', '))
      .filter((method) => method !== 'HEAD');
    expect(served.length).toBe(pages.length + operations.length);
    for (const each of operations) {
      const url = each.path.replace(/\{path\}$/, '*').replace(/\{(\w+)\}/g, ':$1');
      expect([url, server.hasRoute({ method: each.method.toUpperCase(), url })]).toEqual([url, true]);
    }
  });

  test('asks for an Idempotency-Key nowhere, and documents it for every POST', () => {
    for (const each of operations.filter(({ method }) => method === 'post')) {
      const parameter = each.operation.parameters?.find((one) => one.name === 'Idempotency-Key');
      expect([name(each), parameter?.required, parameter?.schema.example]).toEqual([name(each), false, undefined]);
    }
  });
});

/** What Swagger UI fills in: the examples, and nothing where there is none. */
function prefilled(path: string, operation: Operation): string {
  const value = (where: string) => (operation.parameters ?? []).filter((parameter) => parameter.in === where);
  let filled = path;
  for (const parameter of value('path'))
    filled = filled.replace(`{${parameter.name}}`, encodeURIComponent(parameter.schema.example as Scalar));
  const query = new URLSearchParams();
  for (const { name: key, schema } of value('query')) {
    const example = schema.example as Scalar | undefined;
    if (example !== undefined) query.append(key, String(example));
  }
  return query.size === 0 ? filled : `${filled}?${query.toString()}`;
}

function bodyOf(operation: Operation): unknown {
  const schema = operation.requestBody?.content['application/json']?.schema;
  const target = schema?.$ref === undefined ? schema : document.components.schemas[schema.$ref.split('/').at(-1) ?? ''];
  return target?.example;
}

/** Ids are made by the server, so there is no example for them; and no sample has a trigger. */
const needsId = (path: string) => path.includes('{id}') || path.includes('{trigger}');

/** What speaks to the Hub is tried with one (test/integration); the licence of the samples asks for no approval. */
const elsewhere = ['/v1/imports', '/v1/publications', '/v1/publishing-rules'];
const refused: Partial<Record<string, string>> = {
  '/v1/models/{namespace}/{name}/versions/{version}/licence/approvals': 'approval_not_needed',
};

describe('every example works on a fresh service', () => {
  test('of what is read', async () => {
    const reads = operations.filter(({ method, path }) => method === 'get' && !needsId(path));
    expect(reads.length).toBeGreaterThan(10);
    for (const { path, operation } of reads) {
      const url = prefilled(path, operation);
      const { status } = await fetch(api.url + url);
      // No sample has an alias of its own.
      expect([url, status]).toEqual([url, path.endsWith('/aliases/{alias}') ? 404 : 200]);
    }
  });

  test('of what is written, twice', async () => {
    const writes = operations.filter(({ method, path }) => method === 'post' && !needsId(path));
    expect(writes.map(name).sort()).toEqual([
      'post /v1/comparisons',
      'post /v1/imports',
      'post /v1/merges',
      'post /v1/models',
      'post /v1/models/{namespace}/{name}/uploads',
      'post /v1/models/{namespace}/{name}/versions/{version}/licence/approvals',
      'post /v1/plans',
      'post /v1/publications',
      'post /v1/publishing-rules',
      'post /v1/recipes/validate',
      'post /v1/triggers',
    ]);
    for (const time of [1, 2]) {
      for (const { path, operation } of writes.filter((each) => !elsewhere.includes(each.path))) {
        const url = prefilled(path, operation);
        const { status, body } = await api.client.post(url, bodyOf(operation) ?? {});
        const reason = refused[path];
        if (reason !== undefined) {
          expect([url, (body as { code?: string }).code]).toEqual([url, reason]);
          continue;
        }
        const taken = time === 2 && ['/v1/models', '/v1/triggers'].includes(path);
        expect([url, status >= 200 && status < 300]).toEqual([url, !taken]);
        if (taken) expect(status).toBe(409);
      }
    }
  }, 60_000);

  test('of an alias, made and then said again', async () => {
    const path = '/v1/models/{namespace}/{name}/aliases/{alias}';
    const operation = document.paths[path]?.['put'];
    if (!operation) throw new Error('there is no such operation');
    for (const expected of [201, 200]) {
      const response = await fetch(api.url + prefilled(path, operation), {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(bodyOf(operation)),
      });
      expect(response.status).toBe(expected);
    }
  });
});

describe('the page at /docs', () => {
  test('takes everything from this server, under a policy that allows nothing else', async () => {
    const response = await fetch(`${api.url}/docs`);
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'");
    const html = await response.text();
    const sources = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, source = '']) => source);
    expect(sources.length).toBe(4);
    for (const source of sources) {
      expect(source).toMatch(/^\/docs\//);
      expect((await fetch(api.url + source)).status).toBe(200);
    }
  });

  test('is where a browser ends up', async () => {
    for (const path of ['/', '/docs/']) expect((await fetch(api.url + path)).url).toBe(`${api.url}/docs`);
  });
});
