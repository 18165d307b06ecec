import { z } from 'zod';
import { lineOf } from '../http/line.schema.js';
import { PageOf, PageQuery } from '../http/pagination.js';
import { AliasName, NamedModel } from '../models/names.js';
import { HubName } from '../publishing/publications.schema.js';
import { DEFAULT_REPORT, reportModes } from '../engine/index.js';
import { LicenceAssessment } from '../licences/licences.schema.js';
import { mergeStates } from './merge-state.js';

const Line = lineOf(z.string());

/** `team/name`; a version is given, never asked for. */
const Output = NamedModel.describe(
  'Model that gets the result as its next version; it is made when it does not exist.',
).meta({ example: 'team/merged' });

/** 64 KiB keeps a model of many small tensors from becoming a hundred thousand files. */
const ShardBytes = z
  .int()
  .min(65_536)
  .max(1e12)
  .describe('Limit on the tensors of one output file, in bytes. By default what the service is configured for (1 GB).');

const Seed = z
  .int()
  .min(0)
  .max(Number.MAX_SAFE_INTEGER)
  .describe("Seed of random masks. By default it comes from the recipe's digest; it is always recorded.");

const Device = z
  .enum(['auto', 'cpu', 'gpu'])
  .default('auto')
  .describe('Which workers may carry it out; `gpu` is refused when none is alive.');

const Lenient = z.boolean().default(false).describe('Take near misses of known keys as warnings.');

const Report = z
  .enum(reportModes)
  .default(DEFAULT_REPORT)
  .describe(
    'How much of the weights the merge report looks at: nothing, every 64th block (an estimate), or all. It is stored with ' +
      'the result as merge_report.json, and shown on the card.',
  );

const AllowNan = z
  .boolean()
  .default(false)
  .describe('Write NaN where the merge gives it; otherwise such a merge fails with `nan_in_result`.');

const Labels = z
  .record(z.string().regex(/^[A-Za-z][A-Za-z0-9._-]{0,62}$/, 'must be a short name'), Line.max(200))
  .refine((labels) => Object.keys(labels).length <= 16, 'must be 16 at most')
  .describe('Names and values of your own; the list can be filtered by them.')
  .meta({ example: { purpose: 'trial' } });

/** As JSON the recipe is an object, or the YAML text itself. Its inside is checked by the recipe layer. */
const RecipeInput = z
  .union(
    [z.record(z.string(), z.unknown()), z.string().min(1).max(65_536)],
    'must be a recipe as an object or as YAML text',
  )
  .describe(
    'A MergeKit recipe. Its models are those of the registry (team/model, team/model@3 or team/model@alias) or of the Hub ' +
      '(hf:org/name@revision); a bare org/name means the registry, then the Hub. As YAML it may have several documents, of ' +
      'which some merge what others made.',
  );

const Publish = HubName.describe(
  'Repository on the Hub that the result is published to, as by `POST /v1/publications`; needs `Hub-Token`. Its ' +
    'publication is in the list with `?merge=`.',
).meta({ example: undefined });

const KeepStages = z
  .boolean()
  .default(false)
  .describe("Keep the weights of the stages' results when the merge is done; their cards and lineage stay anyway.");

export const exampleRecipe = {
  merge_method: 'slerp',
  base_model: 'samples/reverse',
  models: [{ model: 'samples/sort' }],
  parameters: { t: 0.5 },
  dtype: 'bfloat16',
};

export const PlanRequest = z
  .strictObject({
    recipe: RecipeInput,
    seed: Seed.optional(),
    shardBytes: ShardBytes.optional(),
    device: Device,
    lenient: Lenient,
    report: Report,
    allowNan: AllowNan,
  })
  .meta({ id: 'PlanRequest', example: { recipe: exampleRecipe } });
export type PlanRequest = z.infer<typeof PlanRequest>;

export const MergeRequest = PlanRequest.extend({
  output: Output,
  alias: AliasName.optional().describe('Also points this alias to the new version.').meta({ example: undefined }),
  labels: Labels.optional(),
  publish: Publish.optional(),
  keepStages: KeepStages,
}).meta({ id: 'MergeRequest', example: { recipe: exampleRecipe, output: 'team/merged' } });
export type MergeRequest = z.infer<typeof MergeRequest>;

const number = (text: unknown): unknown => (typeof text === 'string' && /^\d{1,16}$/.test(text) ? Number(text) : text);
const boolean = (text: unknown): unknown => (text === 'true' ? true : text === 'false' ? false : text);
const labels = (text: unknown): unknown =>
  typeof text === 'string' ? Object.fromEntries(text.split(',').map((pair) => split(pair, '='))) : text;

function split(pair: string, sign: string): [string, string] {
  const at = pair.indexOf(sign);
  return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
}

/** The options of a plan whose body is the recipe itself. */
export const PlanOptionsQuery = z.strictObject({
  seed: z.preprocess(number, Seed.optional()),
  shardBytes: z.preprocess(number, ShardBytes.optional()),
  device: Device,
  lenient: z.preprocess(boolean, Lenient),
  report: Report,
  allowNan: z.preprocess(boolean, AllowNan),
});

/** The same for a merge; `labels` is `name=value,name=value`. */
export const MergeOptionsQuery = PlanOptionsQuery.extend({
  output: Output,
  alias: AliasName.optional(),
  labels: z.preprocess(labels, Labels.optional()),
  publish: Publish.optional(),
  keepStages: z.preprocess(boolean, KeepStages),
});

const Bytes = z.int().min(0);

export const MergeWarning = z
  .object({ code: z.string(), message: z.string(), pointer: z.string().describe('RFC 6901, into the request.') })
  .meta({ id: 'MergeWarning' });
export type MergeWarning = z.infer<typeof MergeWarning>;

export const PinnedInput = z
  .object({
    reference: z.string().describe('What the recipe says.'),
    role: z.enum(['base', 'model']),
    version: z
      .string()
      .describe(
        'What it means: namespace/name@version; until it is there, hf:org/name@commit or the name of its stage.',
      )
      .meta({ example: 'samples/sort@1' }),
    versionId: z.uuid().nullable().describe('Null while it has to be fetched or merged first.'),
    digest: z.string().describe("SHA-256 of that version's manifest."),
    licence: z.string().nullable().describe('As that version declares it.'),
    source: z
      .string()
      .nullable()
      .optional()
      .describe('What it is on the Hub, when it was imported from there: hf:org/name@commit.'),
  })
  .meta({ id: 'PinnedInput' });
export type PinnedInput = z.infer<typeof PinnedInput>;

export const PlanStage = z
  .object({
    name: z.string(),
    method: z.string(),
    outputBytes: Bytes,
    readBytes: Bytes,
    models: z.array(z.string()).describe('What it merges: versions, and stages before it.'),
  })
  .meta({ id: 'PlanStage' });

export const Plan = z
  .object({
    digest: z.string().describe('Equal digests give equal bytes.'),
    method: z.string(),
    dtype: z.string().describe('Element type of the result, safetensors spelling; `mixed` when tensors differ.'),
    architecture: z.string().nullable(),
    parameterCount: z.int(),
    tensors: z.object({ merged: z.int(), copied: z.int(), dropped: z.int() }),
    outputBytes: Bytes,
    readBytes: Bytes.describe('All passes together.'),
    fetchBytes: Bytes.describe('What has to be fetched from elsewhere first.'),
    peakMemoryBytes: Bytes.describe("Estimate for the service's number of threads."),
    shards: z.int().describe('Output files with weights.'),
    seed: z.int(),
    shardBytes: z.int(),
    report: z.enum(reportModes),
    allowNan: z.boolean(),
    engineVersion: z.int(),
    inputs: z.array(PinnedInput),
    stages: z.array(PlanStage).describe('What is merged first, in order, where the recipe has several documents.'),
    copiedFiles: z.array(z.object({ path: z.string(), from: z.string() })).describe('Files taken over unchanged.'),
    droppedTensors: z
      .array(z.object({ tensor: z.string(), from: z.string(), reason: z.string() }))
      .describe('At most 100 are listed; `tensors.dropped` counts all.'),
    warnings: z.array(MergeWarning),
    licence: LicenceAssessment.optional().describe(
      'Whether the result may be published. It stops no merge. Merges of earlier releases have none.',
    ),
  })
  .meta({ id: 'Plan' });
export type Plan = z.infer<typeof Plan>;

export const MergeFailure = z
  .object({ code: z.string(), detail: z.string(), pointer: z.string().optional() })
  .meta({ id: 'MergeFailure' });
export type MergeFailure = z.infer<typeof MergeFailure>;

const Time = z.iso.datetime();

export const MergeNeed = z
  .object({
    reference: z.string().describe('As the recipe names it.'),
    import: z.uuid().nullable().describe('The import that fetches it.'),
    merge: z.uuid().nullable().describe('The merge that makes it: it is the result of a stage.'),
    state: z.string(),
    version: z.string().nullable().describe('What it is, once it is there.').meta({ example: 'hf/org--name@1' }),
  })
  .meta({ id: 'MergeNeed' });
export type MergeNeed = z.infer<typeof MergeNeed>;

export const Merge = z
  .object({
    id: z.uuid(),
    state: z.enum(mergeStates),
    deduplicated: z.boolean().describe('Whether the bytes were there already, so that nothing was computed.'),
    output: z.string(),
    alias: z.string().nullable(),
    version: z
      .string()
      .nullable()
      .describe('The result, once the merge has succeeded.')
      .meta({ example: 'team/merged@1' }),
    progress: z.object({ shardsDone: z.int(), shardsTotal: z.int(), bytesDone: Bytes, bytesTotal: Bytes }),
    cancelRequested: z.boolean(),
    failure: MergeFailure.nullable(),
    device: z.string(),
    labels: z.record(z.string(), z.string()),
    recipe: z.record(z.string(), z.unknown()).describe('As it was understood, models as they were written.'),
    plan: Plan.nullable().describe(
      'Null until there is one: a merge whose inputs have to be fetched or merged first is planned in `planning`, and once ' +
        'more when they are there.',
    ),
    needs: z.array(MergeNeed).describe('What has to be there first.'),
    createdBy: z.string(),
    createdAt: Time,
    finishedAt: Time.nullable(),
    lastEvent: z.int().describe('Number of the latest event.'),
  })
  .meta({ id: 'Merge' });
export type Merge = z.infer<typeof Merge>;

export const MergePage = PageOf('MergePage', Merge);

export const MergesQuery = PageQuery.extend({
  state: z.enum(mergeStates).optional().describe('Only merges in this state.'),
  output: Line.max(200).optional().describe('Only merges into this model, namespace/name.'),
  label: Line.max(300).optional().describe('Only merges with this label: name=value.'),
});
export type MergesQuery = z.infer<typeof MergesQuery>;

export const MergePath = z.object({ id: z.uuid() });
export type MergePath = z.infer<typeof MergePath>;

export const MergeEvent = z
  .object({
    seq: z.int(),
    type: z
      .string()
      .describe(
        'A state, or `shard`, `progress`, `fetched` (progress of what is fetched), `wait`, `cancel-requested`.',
      ),
    data: z.record(z.string(), z.unknown()),
    createdAt: Time,
  })
  .meta({ id: 'MergeEvent' });
export type MergeEvent = z.infer<typeof MergeEvent>;

export const MergeEventList = z.object({ items: z.array(MergeEvent) }).meta({ id: 'MergeEventList' });
export type MergeEventList = z.infer<typeof MergeEventList>;
