import { z } from 'zod';
import { findLicenceId } from '../licences/licence-id.js';
import { Count, Timestamp } from './models.schema.js';
import { AliasName, ModelName, Namespace } from './names.js';

const Licence = z
  .string()
  .max(200)
  .refine((text) => findLicenceId(text) !== undefined, 'must be a Hub identifier such as apache-2.0, or other:NAME')
  .meta({ example: 'apache-2.0' });

export const UploadPath = z.object({ id: z.uuid('must be the id of an upload') });
export type UploadPath = z.infer<typeof UploadPath>;

export const UploadFile = z
  .object({
    path: z.string().meta({ example: 'model.safetensors' }),
    bytes: Count,
    sha256: z.string(),
    received: Count.describe('Bytes stored for good: where a broken request is taken up again with Content-Range.'),
    done: z.boolean(),
  })
  .meta({ id: 'UploadFile' });
export type UploadFile = z.infer<typeof UploadFile>;

export const Upload = z
  .object({
    id: z.uuid(),
    namespace: Namespace,
    name: ModelName,
    state: z.enum(['open', 'completed', 'discarded']),
    version: z.int().nullable().describe('Number of the version, once completed.'),
    createdAt: Timestamp,
    createdBy: z.string(),
    expiresAt: Timestamp.describe('An upload that is not completed by then is discarded.'),
    urls: z.object({
      self: z.string(),
      file: z.string().describe('Template: PUT each file here.'),
      complete: z.string(),
    }),
    files: z.array(UploadFile),
  })
  .meta({ id: 'Upload' });
export type Upload = z.infer<typeof Upload>;

export const CompleteUpload = z
  .strictObject({
    alias: AliasName.optional().describe('Alias that shall name the new version too.'),
    licence: Licence.optional().describe(
      'Its licence, where its files do not say: a Hub identifier, or other:NAME. Where they say another, theirs stays due.',
    ),
  })
  .meta({ id: 'CompleteUpload', example: {} });
export type CompleteUpload = z.infer<typeof CompleteUpload>;
