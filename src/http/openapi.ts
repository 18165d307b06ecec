import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { z } from 'zod';
import { packageVersion } from '../package-root.js';
import { problemType } from './problem.filter.js';
import { Problem } from './problem.schema.js';
import { yamlTypes } from './yaml-text.js';

type Json = Record<string, unknown>;
interface Operation {
  responses: Record<string, { description: string; content?: Record<string, { schema: Json }> }>;
  parameters?: { name: string }[];
  requestBody?: { content?: Record<string, { schema: Json }> };
}

const yamlExample = `merge_method: slerp
base_model: samples/reverse
models:
  - model: samples/sort
parameters:
  t: 0.5
dtype: bfloat16
`;

const description = `Merges language models: MergeKit recipes in, immutable, reproducible, documented models out.

Errors are \`application/problem+json\` (RFC 9457) with a stable \`code\`. Every POST honours \`Idempotency-Key\`. Lists have
\`limit\` and \`cursor\`. Reads have an ETag and honour \`If-None-Match\`. Long work answers 202 with a \`Location\`.`;

/** In the order in which a newcomer meets them. */
const tags = [
  ['merges', 'Plan, submit and follow merges.'],
  ['triggers', 'Merges that every new version of a model starts.'],
  ['models', 'Names under which versions are kept.'],
  ['versions', 'Immutable: files, card, lineage.'],
  ['aliases', 'Movable names of versions.'],
  ['uploads', 'Versions in the making.'],
  ['imports', 'Models of the Hugging Face Hub as versions.'],
  ['publishing', 'Versions on their way to the Hub.'],
  ['hub-tokens', 'What a namespace is imported and published with.'],
  ['recipes', 'What can be known without any model.'],
  ['health', 'For whoever keeps the process running.'],
] as const;

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
  document.paths = sorted(renameWildcards(document.paths)) as OpenAPIObject['paths'];
  for (const item of Object.values(document.paths)) {
    for (const operation of Object.values(item as Record<string, Operation>)) complete(operation);
  }
  const schemas = { ...document.components?.schemas, ...convert(Problem, { schemaType: 'output' }).components };
  document.components = { ...document.components, schemas: sorted(schemas) as never };
  document.tags = tags.map(([name, text]) => ({ name, description: text }));
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
      // zod's safe integers; every number of JSON is one, so it says nothing.
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      // `format: uuid` says it already, and shorter.
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
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

/** What holds for every operation: any may be refused, `*` has a name, and what is no JSON is text. */
function complete(operation: Operation): void {
  const refusal = { content: { [problemType]: { schema: { $ref: '#/components/schemas/Problem' } } } };
  for (const { content = {} } of Object.values(operation.responses)) {
    for (const [type, { schema }] of Object.entries(content)) {
      if (schema['$ref'] !== undefined && !type.endsWith('json')) content[type] = { schema: { type: 'string' } };
    }
  }
  operation.responses['default'] ??= { description: 'Refused; `code` says why.', ...refusal };
  if (operation.parameters) operation.parameters = operation.parameters.filter(({ name }) => name !== '*');
  const content = operation.requestBody?.content ?? {};
  for (const [type, media] of Object.entries(content)) {
    const text = { type: 'string', description: 'The recipe itself.', example: yamlExample };
    content[type] = (yamlTypes as readonly string[]).includes(type)
      ? { schema: text }
      : { schema: asJson(media.schema) };
  }
}

/** Without the alternatives that cannot be written in JSON: bodies in YAML, whose schema is empty. */
function asJson(schema: Json): Json {
  const { anyOf, ...rest } = schema as { anyOf?: Json[] };
  if (!anyOf) return schema;
  const left = anyOf.filter((each) => Object.keys(each).length > 0);
  return left.length === 1 ? { ...rest, ...left[0] } : { ...rest, anyOf: left };
}

function sorted(object: Json): Json {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
}
