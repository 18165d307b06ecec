import { z } from 'zod';
import { reportRoles } from '../engine/index.js';
import { PinnedInput } from './merges.schema.js';

const Reference = z.string().min(1).max(300);

export const ComparisonRequest = z
  .strictObject({
    models: z
      .array(Reference)
      .min(1)
      .max(16)
      .describe(
        'Versions of the registry: team/model, team/model@3 or team/model@alias. Without a base, at least two.',
      ),
    base: Reference.optional().describe('What they were fine-tuned from; without it, their plain mean is the measure.'),
    report: z
      .enum(['sampled', 'full'])
      .default('sampled')
      .describe('What is read: every 64th block of larger tensors (an estimate), or everything.'),
  })
  .refine(({ models, base }) => base !== undefined || models.length > 1, {
    message: 'must name at least two models where there is no base',
    path: ['models'],
  })
  .meta({
    id: 'ComparisonRequest',
    example: { models: ['samples/sort', 'samples/reverse'], base: 'samples/base' },
  });
export type ComparisonRequest = z.infer<typeof ComparisonRequest>;

const Share = z.number().nullable();

const numbers = {
  elements: z.int(),
  norms: z.array(Share).describe('L2 norm of each task vector, in the order of `models`.'),
  cosines: z.array(Share).describe('Of each two task vectors, in the order of `pairs`.'),
  signConflicts: Share.describe(
    'Of the elements that two or more task vectors change, the share that they pull both ways.',
  ),
};

export const Comparison = z
  .object({
    report: z.enum(['sampled', 'full']),
    estimate: z.boolean().describe('Whether larger tensors were looked at in part.'),
    reference: z.enum(['base', 'mean']).nullable().describe('What task vectors are differences from.'),
    advice: z.string().describe('What the angles say about the choice of a method.'),
    models: z.array(z.string()),
    pairs: z.array(z.array(z.string())),
    total: z.object(numbers),
    roles: z.array(z.object({ role: z.enum(reportRoles), tensors: z.int(), ...numbers })),
    groups: z.array(z.object({ layer: z.int().nullable(), role: z.enum(reportRoles), tensors: z.int(), ...numbers })),
    tensors: z.array(z.object({ tensor: z.string(), seen: z.int(), ...numbers })),
    inputs: z.array(PinnedInput),
  })
  .meta({ id: 'Comparison' });
export type Comparison = z.infer<typeof Comparison>;
