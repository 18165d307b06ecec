import { z } from 'zod';
import { lineOf } from '../http/line.schema.js';
import { Timestamp } from '../models/models.schema.js';
import { verdicts } from './assess.js';
import { type Obligation, obligationOrder } from './obligations.js';

const boolean = (text: unknown): unknown => (text === 'true' ? true : text === 'false' ? false : text);

export const LicenceQuery = z.object({
  commercial: z
    .preprocess(boolean, z.boolean().default(false))
    .describe('It shall earn money: what is non-commercial is denied then.'),
});
export type LicenceQuery = z.infer<typeof LicenceQuery>;

export const LicenceApproval = z
  .object({
    id: z.uuid(),
    approvedBy: z.string().describe('Name of the API key; `local` without keys.'),
    reason: z.string(),
    createdAt: Timestamp,
  })
  .meta({ id: 'LicenceApproval' });
export type LicenceApproval = z.infer<typeof LicenceApproval>;

const LicenceStep = z
  .object({ name: z.string().optional(), licence: z.string().nullable().describe('null: a merge, which states none.') })
  .meta({ id: 'LicenceStep' });

/** What the policy says of a closure. */
export const LicenceAssessment = z
  .object({
    verdict: z
      .enum(verdicts)
      .describe('For a public repository. `needs-approval` can be lifted by an approval, `deny` cannot.'),
    resultLicence: z
      .string()
      .describe('Identifier that the card carries; `other` for several or custom texts; `-` for none.')
      .meta({ example: 'apache-2.0' }),
    licenceName: z.string().optional().describe('`license_name` where the licence is `other`.'),
    obligations: z.array(z.enum(obligationOrder as [Obligation, ...Obligation[]])),
    why: z.string(),
    paths: z
      .array(z.array(LicenceStep))
      .describe('The two paths that clash, or the one that is the reason; each from its oldest ancestor.'),
  })
  .meta({ id: 'LicenceAssessment' });

export const VersionLicence = LicenceAssessment.extend({
  version: z.string().describe('namespace/name@version').meta({ example: 'samples/base@1' }),
  approval: LicenceApproval.nullable().describe('The approval that holds for this verdict.'),
  mayPublish: z.boolean().describe('Whether publishing would be let through.'),
}).meta({ id: 'VersionLicence' });
export type VersionLicence = z.infer<typeof VersionLicence>;

export const ApproveLicence = z
  .strictObject({
    reason: lineOf(z.string().trim())
      .min(1)
      .max(2_000)
      .describe('Why it may be published all the same. It is shown on the card.'),
  })
  .meta({ id: 'ApproveLicence', example: { reason: 'Both owners agreed in writing, 12 November.' } });
export type ApproveLicence = z.infer<typeof ApproveLicence>;
