import { z } from 'zod';
import { PageOf, PageQuery } from '../http/pagination.js';
import { VersionLicence } from '../licences/licences.schema.js';
import { AliasName, NamedModel } from '../models/names.js';
import { publicationStates } from './publication-state.js';

/** As the Hub names repositories: `hf:` is how references to it begin everywhere. */
export const HubName = z
  .string()
  .max(200)
  .regex(
    /^hf:[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?![.-])){0,95}\/[A-Za-z0-9_](?:[A-Za-z0-9_-]|\.(?!\.)){0,95}$/,
    'must be a repository of the Hub, such as hf:org/name',
  )
  .refine((text) => !/(?:\.git|\.ipynb)$/.test(text) && !/--/.test(text), 'is no name that the Hub accepts')
  .describe('Repository on the Hub; it is made when it does not exist.')
  .meta({ example: 'hf:org/name' });

const GitName = z
  .string()
  .max(100)
  .regex(
    /^(?!.*(?:\.\.|\/\/|@\{|\.lock(?:\/|$)))[A-Za-z0-9_](?:[A-Za-z0-9._/-]*[A-Za-z0-9_-])?$/,
    'must be a name that git accepts',
  )
  .refine((text) => !text.startsWith('refs/'), 'must be a plain name, without refs/');

const options = {
  visibility: z
    .enum(['public', 'private'])
    .optional()
    .describe('A new repository becomes public when all is there; an existing one stays as it is.'),
  gated: z
    .union([z.literal(false), z.enum(['auto', 'manual'])])
    .optional()
    .describe('Whether people must ask for access. By default unchanged.'),
  createPr: z.boolean().default(false).describe('Open a pull request instead of writing to the branch.'),
};

const ofTag = 'Also tags the commit. A tag that names another commit is refused.';
const isTaggable = ({ createPr, tag }: { createPr: boolean; tag?: string | undefined }): boolean =>
  !(createPr && tag !== undefined);
const tagRule = { message: 'a pull request has no commit to tag yet', path: ['tag'] };

/** What a publication does on the Hub beside sending files. */
export const PublicationOptions = z.object({ ...options, tag: GitName.optional() });
export type PublicationOptions = z.infer<typeof PublicationOptions>;

export const PublicationRequest = z
  .strictObject({
    version: z
      .string()
      .max(300)
      .describe('What to publish: team/model, team/model@3 or team/model@alias.')
      .meta({ example: 'samples/base@1' }),
    repository: HubName,
    revision: GitName.default('main').describe('Branch; it is made from main when it does not exist.'),
    ...options,
    tag: GitName.optional().describe(ofTag),
    dryRun: z.boolean().default(false).describe('Only say what would be done; nothing is kept or sent.'),
  })
  .refine(isTaggable, tagRule)
  .refine(({ createPr, revision }) => !createPr || revision === 'main', {
    message: 'a pull request goes to main',
    path: ['revision'],
  })
  .meta({ id: 'PublicationRequest', example: { version: 'samples/base@1', repository: 'hf:org/name', dryRun: true } });
export type PublicationRequest = z.infer<typeof PublicationRequest>;

const Bytes = z.int().min(0);
const Time = z.iso.datetime();

export const PublicationFile = z
  .object({ path: z.string(), bytes: Bytes, sha256: z.string() })
  .meta({ id: 'PublicationFile' });

/** What a publication would do, as far as it can be known before it is done. */
export const PublicationPreview = z
  .object({
    dryRun: z.literal(true),
    version: z.string(),
    repository: z.string(),
    revision: z.string(),
    repositoryExists: z.boolean(),
    visibility: z.enum(['public', 'private']).describe('Of the repository in the end.'),
    gated: z
      .union([z.literal(false), z.string()])
      .nullable()
      .describe('null: unchanged.'),
    createPr: z.boolean(),
    tag: z.string().nullable(),
    files: z.array(PublicationFile.extend({ change: z.enum(['new', 'changed', 'unchanged']) })),
    deletedFiles: z.array(z.string()).describe('Weights there that would contradict the new ones.'),
    bytesToSend: Bytes,
    licence: VersionLicence,
    card: z.string().describe('README.md as it would be published.'),
  })
  .meta({ id: 'PublicationPreview' });
export type PublicationPreview = z.infer<typeof PublicationPreview>;

export const PublicationFailure = z.object({ code: z.string(), detail: z.string() }).meta({ id: 'PublicationFailure' });
export type PublicationFailure = z.infer<typeof PublicationFailure>;

export const Publication = z
  .object({
    id: z.uuid(),
    state: z.enum(publicationStates),
    version: z
      .string()
      .nullable()
      .describe('null while the merge that makes it goes on.')
      .meta({ example: 'team/x@1' }),
    repository: z.string().meta({ example: 'hf:org/name' }),
    revision: z.string(),
    visibility: z.string().nullable(),
    gated: z.union([z.literal(false), z.string()]).nullable(),
    createPr: z.boolean(),
    tag: z.string().nullable(),
    mergeId: z.uuid().nullable().describe('The merge whose result it publishes.'),
    ruleId: z.uuid().nullable().describe('The rule that made it.'),
    files: z.array(PublicationFile).nullable().describe('null until it is planned.'),
    progress: z.object({ bytesDone: Bytes, bytesTotal: Bytes }).describe('Of what goes to the large store.'),
    cancelRequested: z.boolean(),
    failure: PublicationFailure.nullable(),
    commit: z.string().nullable().describe('On the Hub, once it is made.'),
    url: z.string().nullable().describe('Where to look at it.'),
    createdBy: z.string(),
    createdAt: Time,
    finishedAt: Time.nullable(),
    lastEvent: z.int().describe('Number of the latest event.'),
  })
  .meta({ id: 'Publication' });
export type Publication = z.infer<typeof Publication>;

export const PublicationPage = PageOf('PublicationPage', Publication);

export const PublicationsQuery = PageQuery.extend({
  state: z.enum(publicationStates).optional().describe('Only publications in this state.'),
  repository: HubName.optional().describe('Only publications to this repository.'),
  merge: z.uuid().optional().describe('Only publications of what this merge makes.'),
});
export type PublicationsQuery = z.infer<typeof PublicationsQuery>;

export const PublicationPath = z.object({ id: z.uuid() });
export type PublicationPath = z.infer<typeof PublicationPath>;

export const PublicationEvent = z
  .object({
    seq: z.int(),
    type: z.string().describe('A state, or `file`, `progress`, `wait`, `attempt-failed`, `cancel-requested`.'),
    data: z.record(z.string(), z.unknown()),
    createdAt: Time,
  })
  .meta({ id: 'PublicationEvent' });

export const PublicationEventList = z.object({ items: z.array(PublicationEvent) }).meta({ id: 'PublicationEventList' });
export type PublicationEventList = z.infer<typeof PublicationEventList>;

/** A tag with the version's number in it, so that each version gets its own. */
const TagPattern = z
  .string()
  .refine((text) => GitName.safeParse(text.replaceAll('{version}', '1')).success, 'must be a name that git accepts')
  .describe('Tag of each commit; `{version}` becomes the number of the version.')
  .meta({ example: 'v{version}' });

export const NewPublishingRule = z
  .strictObject({
    model: NamedModel.meta({ example: 'samples/base' }),
    alias: AliasName.refine((alias) => alias !== 'latest', 'latest is moved by every version; name one that you move')
      .describe('When this alias is pointed to a version, that version is published.')
      .meta({ example: 'release' }),
    repository: HubName,
    revision: GitName.default('main').describe('Branch; it is made from main when it does not exist.'),
    ...options,
    tag: TagPattern.optional(),
  })
  .refine(isTaggable, tagRule)
  .meta({
    id: 'NewPublishingRule',
    example: { model: 'samples/base', alias: 'release', repository: 'hf:org/name', tag: 'v{version}' },
  });
export type NewPublishingRule = z.infer<typeof NewPublishingRule>;

export const PublishingRule = z
  .object({
    id: z.uuid(),
    model: z.string(),
    alias: z.string(),
    repository: z.string(),
    revision: z.string(),
    visibility: z.string().nullable(),
    gated: z.union([z.literal(false), z.string()]).nullable(),
    createPr: z.boolean(),
    tag: z.string().nullable(),
    createdBy: z.string(),
    createdAt: Time,
  })
  .meta({ id: 'PublishingRule' });
export type PublishingRule = z.infer<typeof PublishingRule>;

export const PublishingRulePage = PageOf('PublishingRulePage', PublishingRule);
