import { z } from 'zod';
import { PageOf, PageQuery } from '../http/pagination.js';
import { AliasName, ModelName, Namespace, VersionSelector } from './names.js';

/** Rows have dates, stored answers have text; both go out as RFC 3339 in UTC. */
export const Timestamp = z
  .preprocess((value) => (value instanceof Date ? value.toISOString() : value), z.iso.datetime())
  .meta({ example: '2026-11-25T12:00:00.000Z' });

/** bigint columns arrive as text. All of ours stay far below 2^53. */
export const Count = z.coerce.number().int().min(0);

const Digest = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .describe('Lower-case hex SHA-256.');

export const ModelPath = z.object({ namespace: Namespace, name: ModelName });
export type ModelPath = z.infer<typeof ModelPath>;

export const VersionPath = ModelPath.extend({ version: VersionSelector });
export type VersionPath = z.infer<typeof VersionPath>;

export const AliasPath = ModelPath.extend({ alias: AliasName });
export type AliasPath = z.infer<typeof AliasPath>;

export const CreateModel = z
  .strictObject({
    namespace: Namespace.meta({ example: 'team' }),
    name: ModelName.meta({ example: 'my-model' }),
    description: z.string().max(2_000).default('').describe('One or two sentences, found by search.'),
  })
  .meta({ id: 'CreateModel', example: { namespace: 'team', name: 'my-model', description: 'What it is good at.' } });
export type CreateModel = z.infer<typeof CreateModel>;

export const Model = z
  .object({
    namespace: Namespace,
    name: ModelName,
    description: z.string(),
    createdAt: Timestamp,
    latestVersion: z.int().nullable().describe('null until a version is complete.'),
    aliases: z
      .record(z.string(), z.int())
      .describe('Version of each alias.')
      .meta({ example: { latest: 1 } }),
  })
  .meta({ id: 'Model' });
export type Model = z.infer<typeof Model>;

export const ModelsQuery = PageQuery.extend({
  search: z.string().max(200).optional().describe('Part of a namespace, name or description, in any letter case.'),
  namespace: Namespace.optional().describe('This namespace only.').meta({ example: undefined }),
});
export type ModelsQuery = z.infer<typeof ModelsQuery>;

export const ModelPage = PageOf('ModelPage', Model);

export const VersionFile = z
  .object({
    path: z.string().meta({ example: 'model.safetensors' }),
    bytes: Count,
    sha256: Digest,
    mediaType: z.string(),
  })
  .meta({ id: 'VersionFile' });
export type VersionFile = z.infer<typeof VersionFile>;

export const VersionSummary = z
  .object({
    id: z.uuid(),
    namespace: Namespace,
    name: ModelName,
    version: z.int(),
    reference: z.string().describe('What a recipe may name.').meta({ example: 'samples/base@1' }),
    aliases: z.array(z.string()).describe('Names that point here now.'),
    origin: z.enum(['upload', 'merge', 'import']),
    mergeId: z.uuid().nullable(),
    source: z
      .object({ repository: z.string().meta({ example: 'hf:org/name' }), commit: z.string() })
      .nullable()
      .describe(
        'Where it was imported from: hf:org/name and its commit, or s3://bucket/prefix and a digest of its objects.',
      ),
    digest: Digest.describe('SHA-256 of the manifest: equal digests mean equal files.'),
    bytes: Count.describe('Of all files together.'),
    architecture: z.string().nullable().meta({ example: 'LlamaForCausalLM' }),
    modelType: z.string().nullable().meta({ example: 'llama' }),
    parameterCount: Count.nullable(),
    dtypes: z
      .record(z.string(), z.int())
      .describe('How many tensors have each type.')
      .meta({ example: { BF16: 39 } }),
    licence: z
      .string()
      .nullable()
      .describe('As it states itself: identifier of the Hub, or other:NAME.')
      .meta({ example: 'apache-2.0' }),
    createdAt: Timestamp,
    createdBy: z.string().describe('Name of the API key; `local` without keys.'),
    weightsExpiredAt: Timestamp.nullable()
      .describe('When its weights were given up, by the retention of a trigger; all else of it stays.')
      .meta({ example: null }),
  })
  .meta({ id: 'VersionSummary' });
export type VersionSummary = z.infer<typeof VersionSummary>;

export const Version = VersionSummary.extend({ files: z.array(VersionFile) }).meta({ id: 'Version' });
export type Version = z.infer<typeof Version>;

export const VersionPage = PageOf('VersionPage', VersionSummary);

export const MoveAlias = z
  .strictObject({ version: z.int().min(1).max(999_999_999).describe('Version that the alias shall name.') })
  .meta({ id: 'MoveAlias', example: { version: 1 } });
export type MoveAlias = z.infer<typeof MoveAlias>;

export const Alias = z
  .object({ alias: z.string(), version: z.int(), revision: z.int(), updatedAt: Timestamp })
  .meta({ id: 'Alias' });
export type Alias = z.infer<typeof Alias>;

export const AliasList = z.object({ items: z.array(Alias) }).meta({ id: 'AliasList' });
export type AliasList = z.infer<typeof AliasList>;
