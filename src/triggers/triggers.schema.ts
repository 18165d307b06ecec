import { z } from 'zod';
import { PageOf, PageQuery } from '../http/pagination.js';
import { mergeStates } from '../merges/merge-state.js';
import { MergeFailure, MergeRequest } from '../merges/merges.schema.js';
import { NamedModel } from '../models/names.js';

/** Stands in a recipe where the checkpoint comes. */
export const checkpointSlot = '$checkpoint';

/** Also part of an address, where an id may stand too: so it cannot look like one. */
const TriggerName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9._-]{0,62}$/, 'must be letters, digits, dots, dashes and underscores, 63 at most')
  .refine((name) => !z.uuid().safeParse(name).success, 'must not look like an id')
  .describe('Name of the trigger; its merges have the label trigger=NAME.')
  .meta({ example: 'llama-3-sec' });

const Watch = NamedModel.describe('Model whose new versions are the checkpoints; it may come later.').meta({
  example: 'samples/reverse',
});

const KeepLast = z.int().min(1).max(100_000).describe('How many of its newest results keep their weights.');

const Retention = z
  .strictObject({ keepLast: KeepLast })
  .describe(
    'Older results of this trigger lose their weights. Manifest, card and lineage stay, and so does every version that an ' +
      'alias names, that was published, or that a merge reads.',
  );

const exampleTemplate = {
  merge_method: 'slerp',
  base_model: 'samples/base',
  models: [{ model: checkpointSlot }],
  parameters: { t: 0.5 },
};

export const TriggerRequest = MergeRequest.extend({
  name: TriggerName,
  watch: Watch,
  enabled: z.boolean().default(true),
  retention: Retention.optional(),
}).meta({
  id: 'TriggerRequest',
  example: {
    name: 'llama-3-sec',
    recipe: exampleTemplate,
    watch: 'samples/reverse',
    output: 'team/merged',
    retention: { keepLast: 3 },
  },
});
export type TriggerRequest = z.infer<typeof TriggerRequest>;

const Time = z.iso.datetime();
const Count = z.int().min(0);

export const Trigger = z
  .object({
    id: z.uuid(),
    name: z.string(),
    watch: z.string(),
    output: z.string(),
    recipe: z.record(z.string(), z.unknown()).describe('As it was understood.'),
    recipeDigest: z.string().describe('SHA-256 of the recipe; with the digest of a checkpoint it names a run.'),
    options: z
      .record(z.string(), z.unknown())
      .describe('What else each merge is asked with, as POST /v1/merges takes it.'),
    retention: z.object({ keepLast: z.int() }).nullable(),
    enabled: z.boolean(),
    runs: z
      .object({ waiting: Count, running: Count, succeeded: Count, failed: Count, refused: Count })
      .describe('How many checkpoints came how far; cancelled merges count as failed.'),
    createdBy: z.string(),
    createdAt: Time,
  })
  .meta({ id: 'Trigger' });
export type Trigger = z.infer<typeof Trigger>;

export const TriggerPage = PageOf('TriggerPage', Trigger);

export const TriggerPath = z.object({
  trigger: z
    .string()
    .max(100)
    .regex(/^[A-Za-z0-9._-]+$/, 'must be the id or the name of a trigger')
    .describe('Id or name.')
    .meta({ example: 'llama-3-sec' }),
});
export type TriggerPath = z.infer<typeof TriggerPath>;

/** Of a run: waiting until its turn comes, refused when no merge could be made of it, else as its merge is. */
const runStates = ['waiting', 'refused', ...mergeStates] as const;

export const TriggerRun = z
  .object({
    checkpoint: z.string().meta({ example: 'samples/reverse@3' }),
    checkpointDigest: z.string(),
    origin: z.enum(['arrival', 'back-fill']),
    state: z.enum(runStates),
    merge: z.uuid().nullable(),
    version: z.string().nullable().describe('The result.').meta({ example: 'team/merged@3' }),
    weightsExpired: z.boolean().describe('Whether the weights of the result are no longer kept.'),
    failure: MergeFailure.nullable(),
    createdAt: Time,
  })
  .meta({ id: 'TriggerRun' });
export type TriggerRun = z.infer<typeof TriggerRun>;

export const TriggerRunPage = PageOf('TriggerRunPage', TriggerRun);

export const TriggersQuery = PageQuery.extend({
  watch: z.string().max(200).optional().describe('Only triggers that watch this model.'),
});
export type TriggersQuery = z.infer<typeof TriggersQuery>;

const VersionNumber = z.int().min(1).max(999_999_999);

export const BackFillRequest = z
  .strictObject({
    from: VersionNumber.optional().describe('First version of the watched model; by default its first.'),
    to: VersionNumber.optional().describe('Last one; by default its latest.'),
    dryRun: z.boolean().default(false).describe('Say what would be done, and what each merge would cost; do nothing.'),
  })
  .meta({ id: 'BackFillRequest', example: { dryRun: true } });
export type BackFillRequest = z.infer<typeof BackFillRequest>;

export const BackFill = z
  .object({
    dryRun: z.boolean(),
    queued: Count.describe('Checkpoints that a merge is made of.'),
    items: z.array(
      z.object({
        checkpoint: z.string().meta({ example: 'samples/reverse@1' }),
        action: z
          .enum(['queue', 'known', 'expired', 'refuse'])
          .describe(
            '`known`: it was merged, or is about to be. `expired`: its weights are gone. `refuse`: see `failure`.',
          ),
        outputBytes: Count.nullable().describe('Of a dry run: what the merge would write.'),
        readBytes: Count.nullable(),
        failure: MergeFailure.nullable(),
      }),
    ),
  })
  .meta({ id: 'BackFill' });
export type BackFill = z.infer<typeof BackFill>;
