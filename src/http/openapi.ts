import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { z } from 'zod';
import { packageVersion } from '../package-root.js';
import { problemType } from './problem.filter.js';
import { Problem } from './problem.schema.js';
import { yamlTypes } from './yaml-text.js';

type Json = Record<string, unknown>;
type Operation = Json & { responses: Json; requestBody?: { content?: Json } };

const description = `Merges language models: MergeKit recipes in, immutable, reproducible, documented models out.

Errors are \`application/problem+json\` (RFC 9457) with a stable \`code\`. Every POST honours \`Idempotency-Key\`. Lists have
\`limit\` and \`cursor\`. Reads have an ETag and honour \`If-None-Match\`. Long work answers 202 with a \`Location\`.`;

/** The document of all routes; the same bytes whenever it is made from the same sources. */
export function createOpenapi(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Amalgam')
    .setDescription(description)
    .setVersion(packageVersion)
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addBearerAuth({ type: 'http', description: 'Needed when the server has API keys.' }, 'apiKey')
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    standardSchemaConverter: convert,
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}.${method}`,
  });
  document.paths = sorted(renameWildcards(document.paths as Json)) as OpenAPIObject['paths'];
  for (const item of Object.values(document.paths)) {
    for (const operation of Object.values(item as Record<string, Operation>)) complete(operation);
  }
  const schemas = { ...document.components?.schemas, ...convert(Problem, { schemaType: 'output' }).components };
  document.components = { ...document.components, schemas: sorted(schemas) as never };
  document.tags = [];
  // An empty requirement beside it: without keys nothing has to be sent.
  document.security = [{}, { apiKey: [] }];
  return document;
}

/**
 * zod's own JSON Schema, because the document is 3.1: swagger's converter asks for 3.0. Schemas with an id become
 * components; answers may get members later, so nothing is said about those they do not have.
 */
function convert(schema: unknown, { schemaType }: { schemaType: 'input' | 'output' }) {
  const {
    $schema: _dialect,
    $defs,
    id,
    ...root
  } = z.toJSONSchema(schema as z.ZodType, {
    io: schemaType,
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      if (schemaType === 'output' && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
    },
  }) as Json & { $defs?: Record<string, Json>; id?: string };
  const components = Object.fromEntries(
    Object.entries($defs ?? {}).map(([name, { id: _id, ...body }]) => [name, body]),
  );
  if (id === undefined) return { schema: root, components };
  return { schema: { $ref: `#/components/schemas/${id}` }, components: { ...components, [id]: root } };
}

/** Fastify's `*` is documented as the path parameter that the handler describes. */
function renameWildcards(paths: Json): Json {
  return Object.fromEntries(
    Object.entries(paths).map(([path, item]) => [path.replace(/\/(?:\*|\{\*\})$/, '/{path}'), item]),
  );
}

/** What holds for every operation: any may be refused, and a recipe in YAML is text. */
function complete(operation: Operation): void {
  const refusal = { content: { [problemType]: { schema: { $ref: '#/components/schemas/Problem' } } } };
  operation.responses['default'] ??= { description: 'Refused; `code` says why.', ...refusal };
  const content = operation.requestBody?.content ?? {};
  for (const type of yamlTypes) {
    if (content[type] !== undefined) content[type] = { schema: { type: 'string', description: 'The recipe itself.' } };
  }
}

function sorted(object: Json): Json {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
}
