import { z } from 'zod';
import { PageOf, PageQuery } from '../http/pagination.js';
import { AliasName, latestAlias, NamedModel } from '../models/names.js';
import { importStates } from './import-state.js';
import { isImportSource } from './source-model.js';

export const importModes = ['copy', 'reference'] as const;
export type ImportMode = (typeof importModes)[number];

const Source = z
  .string()
  .max(500)
  .refine(
    isImportSource,
    'must be a model of the Hub, such as hf:org/name@main, or a folder of a bucket, such as s3://bucket/prefix',
  )
  .describe(
    'Model on the Hub, where a branch, tag or commit may follow (without, the default branch); or a folder of a ' +
      'bucket that the service lets the namespace of `model` read.',
  )
  .meta({ example: 'hf:org/name@main' });

const Target = NamedModel.describe(
  'Model that gets the import as its next version; it is made when it does not exist.',
).meta({ example: 'team/imported' });

export const ImportRequest = z
  .strictObject({
    source: Source,
    model: Target,
    alias: AliasName.refine((alias) => alias !== latestAlias, 'latest is moved by every version; name another')
      .optional()
      .describe('Also points this alias to the new version.')
      .meta({ example: undefined }),
    mode: z
      .enum(importModes)
      .optional()
      .describe(
        'Of a bucket: `copy`, the default, brings everything into the store; `reference` reads the weights once for ' +
          'their SHA-256 and leaves them where they are.',
      )
      .meta({ example: undefined }),
  })
  .refine(({ source, mode }) => mode !== 'reference' || source.startsWith('s3://'), {
    message: 'only what is in a bucket (s3://) can be referred to; models of the Hub are copied',
    path: ['mode'],
  })
  .meta({ id: 'ImportRequest', example: { source: 'hf:org/name@main', model: 'team/imported' } });
export type ImportRequest = z.infer<typeof ImportRequest>;

const Bytes = z.int().min(0);
const Time = z.iso.datetime();

export const ImportFailure = z.object({ code: z.string(), detail: z.string() }).meta({ id: 'ImportFailure' });
export type ImportFailure = z.infer<typeof ImportFailure>;

export const Import = z
  .object({
    id: z.uuid(),
    state: z.enum(importStates),
    source: z.string().describe('As it was asked for.').meta({ example: 'hf:org/name@main' }),
    model: z.string(),
    alias: z.string().nullable(),
    mode: z.enum(importModes),
    repository: z
      .string()
      .nullable()
      .describe('As the Hub calls it now, or the folder of the bucket; null until it was asked.'),
    commit: z
      .string()
      .nullable()
      .describe('What the revision meant when the import began; of a bucket, a digest of its objects.'),
    files: z
      .array(z.object({ path: z.string(), bytes: Bytes }))
      .nullable()
      .describe('What is fetched; null until the headers were read.'),
    progress: z.object({ bytesDone: Bytes, bytesTotal: Bytes }),
    version: z.string().nullable().describe('What it made.').meta({ example: 'team/imported@1' }),
    cancelRequested: z.boolean(),
    failure: ImportFailure.nullable(),
    createdBy: z.string(),
    createdAt: Time,
    finishedAt: Time.nullable(),
    lastEvent: z.int().describe('Number of the latest event.'),
  })
  .meta({ id: 'Import' });
export type Import = z.infer<typeof Import>;

export const ImportPage = PageOf('ImportPage', Import);

export const ImportsQuery = PageQuery.extend({
  state: z.enum(importStates).optional().describe('Only imports in this state.'),
});
export type ImportsQuery = z.infer<typeof ImportsQuery>;

export const ImportPath = z.object({ id: z.uuid() });
export type ImportPath = z.infer<typeof ImportPath>;

export const ImportEvent = z
  .object({
    seq: z.int(),
    type: z.string().describe('A state, or `file`, `progress`, `wait`, `attempt-failed`, `cancel-requested`.'),
    data: z.record(z.string(), z.unknown()),
    createdAt: Time,
  })
  .meta({ id: 'ImportEvent' });

export const ImportEventList = z.object({ items: z.array(ImportEvent) }).meta({ id: 'ImportEventList' });
export type ImportEventList = z.infer<typeof ImportEventList>;
