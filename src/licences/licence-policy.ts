import type { Obligation } from './obligations.js';

/**
 * The policy, as data: what each licence asks of whoever shares a merge, what it does not suffer beside it, and where its
 * text says so. This is engineering policy, not legal advice; docs/licences.md says how the entries are read.
 */

/** Terms that GPLv3 s.10 and the ShareAlike licences do not suffer on the whole. Notices, credit and copies they do. */
const furtherRestrictions: readonly Obligation[] = [
  ...(['name-prefix-llama', 'name-prefix-llama-3', 'built-with-llama', 'built-with-llama-3'] as const),
  ...(['built-with-qwen', 'built-with-falcon', 'gemma-terms', 'use-policy', 'no-improve-other-models'] as const),
  ...(['mau-700m', 'eu-multimodal', 'research-only'] as const),
];

export type LicenceFamily =
  | 'public-domain'
  | 'permissive'
  | 'attribution'
  | 'copyleft'
  | 'creative-commons'
  | 'llama'
  | 'gemma'
  | 'openrail'
  | 'custom'
  | 'unknown';

export interface LicenceTerms {
  title: string;
  family: LicenceFamily;
  /** Obligation -> clause. */
  demands: Readonly<Partial<Record<Obligation, string>>>;
  /** What the result may not carry beside it, and the clause that says so. */
  forbids?: { terms: readonly Obligation[]; clause: string };
  /** Whose name the whole may bear instead, step by step: ShareAlike licences only. */
  becomes?: Readonly<Record<string, string>>;
  /** Nothing made from it may be shared. */
  noDerivatives?: string;
  /** Always a decision of a person, for this reason. */
  approval?: string;
  /** May only improve models of its own family; with the open ones a person decides. */
  ownFamilyOnly?: { family: readonly string[]; open: readonly string[]; clause: string };
  /** Where several of a line meet, the highest gives the result its name. */
  line?: { name: string; order: number };
}

const free = (title: string, demands: LicenceTerms['demands'] = {}): LicenceTerms => ({
  title,
  family: Object.keys(demands).length === 0 ? 'public-domain' : 'permissive',
  demands,
});

const notice = (clause: string): LicenceTerms['demands'] => ({ 'keep-notice': clause });

function creativeCommons(title: string, rest: Partial<LicenceTerms> = {}): LicenceTerms {
  const credit = { attribution: 's.3(a)(1)', 'state-changes': 's.3(a)(1)(B)' };
  return { title, family: 'creative-commons', ...rest, demands: { ...credit, ...rest.demands } };
}

const nonCommercial = { 'non-commercial': 's.2(a)(1)' };
const noAdaptations = 's.2(a)(1)(B) gives no right to share adapted material';

const bySa = (title: string, becomes: Readonly<Record<string, string>>): LicenceTerms =>
  creativeCommons(title, {
    demands: { 'share-alike': 's.3(b)(1)' },
    forbids: { terms: [...furtherRestrictions, 'non-commercial'], clause: 's.3(b)(1) and (3)' },
    becomes,
  });

const byNcSa = (title: string, becomes: Readonly<Record<string, string>> = {}): LicenceTerms =>
  creativeCommons(title, {
    demands: { ...nonCommercial, 'share-alike': 's.3(b)(1)' },
    forbids: { terms: furtherRestrictions, clause: 's.3(b)(1) and (3)' },
    becomes,
  });

const gnu = (title: string, rest: Partial<LicenceTerms> = {}): LicenceTerms => ({
  title,
  family: 'copyleft',
  forbids: { terms: [...furtherRestrictions, 'non-commercial'], clause: 's.10 (of GPLv3)' },
  ...rest,
  demands: {
    'keep-notice': 's.4 and 5(b)',
    'state-changes': 's.5(a)',
    'share-alike': 's.5(c)',
    'source-offer': 's.6',
    ...rest.demands,
  },
});

const olderGnu = 'The id does not say whether later versions may be chosen, which decides what it goes together with';

function llama(title: string, order: number, rest: Partial<LicenceTerms> = {}): LicenceTerms {
  const demands: LicenceTerms['demands'] = {
    'licence-copy': 's.1.b.i',
    'llama-notice': 's.1.b.iii',
    'name-prefix-llama': 's.1.b.i',
    'built-with-llama': 's.1.b.i',
    'use-policy': 's.1.b.iv',
    'mau-700m': 's.2',
  };
  return { title, family: 'llama', line: { name: 'llama3.1', order }, demands, ...rest };
}

/** Llama 2 and 3: section 1.b.v keeps them out of all models but their own. */
const improving = { 'no-improve-other-models': 's.1.b.v' };

const openRail = (title: string, more: LicenceTerms['demands'] = {}): LicenceTerms => ({
  title,
  family: 'openrail',
  demands: {
    'keep-notice': 'para 4.d',
    'licence-copy': 'para 4.b',
    'state-changes': 'para 4.c',
    'use-policy': 'para 4.a, 5 and Attachment A',
    ...more,
  },
});

const reader = 'a custom text needs a reader';

const custom = (title: string, demands: LicenceTerms['demands'], approval: string = reader): LicenceTerms => ({
  title,
  family: 'custom',
  demands: { 'attach-text': 'the text itself', ...demands },
  approval,
});

const research = (title: string): LicenceTerms =>
  custom(title, { 'non-commercial': 'its grant', 'research-only': 'its grant' });

const textless = (title: string, demands: LicenceTerms['demands'] = {}): LicenceTerms => ({
  title,
  family: 'unknown',
  demands: { ...demands, 'find-licence': 'no text is named' },
  approval: `${title}: which text it is has to be found first`,
});

/** By Hub identifier. Texts that the Hub knows as `other` are named `other:NAME`. */
export const licencePolicy: Readonly<Record<string, LicenceTerms>> = {
  // Public domain and permissive: compatible with everything; what they ask is to keep their notices.
  unlicense: free('The Unlicense'),
  'cc0-1.0': free('Creative Commons Zero 1.0'),
  pddl: free('Public Domain Dedication and License'),
  wtfpl: free('WTFPL'),
  mit: free('MIT License', notice('the notice paragraph')),
  isc: free('ISC License', notice('the notice paragraph')),
  zlib: free('zlib License', { ...notice('condition 3'), 'state-changes': 'condition 2' }),
  postgresql: free('PostgreSQL License', notice('the notice paragraph')),
  ncsa: free('NCSA Open Source License', notice('conditions 1-3')),
  'bsd-2-clause': free('BSD 2-Clause License', notice('conditions 1-2')),
  bsd: free('BSD License', notice('conditions 1-2')),
  'bsd-3-clause': free('BSD 3-Clause License', notice('conditions 1-3')),
  'bsd-3-clause-clear': free('BSD 3-Clause Clear License', notice('conditions 1-3')),
  'cdla-permissive-1.0': free('CDLA Permissive 1.0', notice('s.3.1')),
  'cdla-permissive-2.0': free('CDLA Permissive 2.0', notice('s.2.1')),
  'openmdw-1.1': free('OpenMDW 1.1', notice('the notice paragraph')),
  'ecl-2.0': free('Educational Community License 2.0', { ...notice('s.4(a), (c), (d)'), 'state-changes': 's.4(b)' }),
  'afl-3.0': free('Academic Free License 3.0', { ...notice('s.6'), 'state-changes': 's.6' }),
  'apache-2.0': free('Apache License 2.0', { ...notice('s.4(a), (c), (d)'), 'state-changes': 's.4(b)' }),

  // Creative Commons. BY and BY-NC admit the adapter's licence (s.3(a)(4)); SA does not; ND ends here.
  'cc-by-2.0': { ...creativeCommons('Creative Commons BY 2.0'), family: 'attribution' },
  'cc-by-2.5': { ...creativeCommons('Creative Commons BY 2.5'), family: 'attribution' },
  'cc-by-3.0': { ...creativeCommons('Creative Commons BY 3.0'), family: 'attribution' },
  'cc-by-4.0': { ...creativeCommons('Creative Commons BY 4.0'), family: 'attribution' },
  'cc-by-sa-3.0': bySa('Creative Commons BY-SA 3.0', { 'cc-by-sa-4.0': 's.4(b), later version' }),
  'cc-by-sa-4.0': bySa('Creative Commons BY-SA 4.0', {
    'gpl-3.0': 's.1(c) and 3(b)(1), compatible since October 2015',
  }),
  'cc-by-nc-2.0': creativeCommons('Creative Commons BY-NC 2.0', {
    demands: nonCommercial,
    line: { name: 'by-nc', order: 2 },
  }),
  'cc-by-nc-3.0': creativeCommons('Creative Commons BY-NC 3.0', {
    demands: nonCommercial,
    line: { name: 'by-nc', order: 3 },
  }),
  'cc-by-nc-4.0': creativeCommons('Creative Commons BY-NC 4.0', {
    demands: nonCommercial,
    line: { name: 'by-nc', order: 4 },
  }),
  'cc-by-nc-sa-2.0': byNcSa('Creative Commons BY-NC-SA 2.0', { 'cc-by-nc-sa-3.0': 's.4(b), later version' }),
  'cc-by-nc-sa-3.0': byNcSa('Creative Commons BY-NC-SA 3.0', { 'cc-by-nc-sa-4.0': 's.4(b), later version' }),
  'cc-by-nc-sa-4.0': byNcSa('Creative Commons BY-NC-SA 4.0'),
  'cc-by-nd-4.0': creativeCommons('Creative Commons BY-ND 4.0', { noDerivatives: noAdaptations }),
  'cc-by-nc-nd-3.0': creativeCommons('Creative Commons BY-NC-ND 3.0', {
    demands: nonCommercial,
    noDerivatives: noAdaptations,
  }),
  'cc-by-nc-nd-4.0': creativeCommons('Creative Commons BY-NC-ND 4.0', {
    demands: nonCommercial,
    noDerivatives: noAdaptations,
  }),

  // GNU: the whole under the same licence, no further restrictions (GPLv3 s.10).
  'lgpl-3.0': gnu('GNU LGPL 3', { becomes: { 'gpl-3.0': 's.2(b)' } }),
  'gpl-3.0': gnu('GNU GPL 3', { becomes: { 'agpl-3.0': 's.13' } }),
  'agpl-3.0': gnu('GNU AGPL 3', { demands: { 'network-source': 's.13' } }),
  'gpl-2.0': gnu('GNU GPL 2', { becomes: { 'gpl-3.0': 's.9, if later versions may be chosen' }, approval: olderGnu }),
  'lgpl-2.1': gnu('GNU LGPL 2.1', { becomes: { 'gpl-2.0': 's.3' }, approval: olderGnu }),

  // Llama. 2 and 3 forbid to improve other models (1.b.v); 3.1 and later ask for name and display instead.
  llama2: llama('Llama 2 Community License (18 July 2023)', 0, {
    line: { name: 'llama2', order: 0 },
    demands: {
      'licence-copy': 's.1.b.i',
      'llama-notice': 's.1.b.iii',
      'use-policy': 's.1.b.iv',
      'mau-700m': 's.2',
      ...improving,
    },
    ownFamilyOnly: { family: ['llama2'], open: [], clause: 's.1.b.v' },
  }),
  llama3: llama('Meta Llama 3 Community License (18 April 2024)', 0, {
    line: { name: 'llama3', order: 0 },
    demands: {
      'licence-copy': 's.1.b.i',
      'llama-notice': 's.1.b.iii',
      'name-prefix-llama-3': 's.1.b.i',
      'built-with-llama-3': 's.1.b.i',
      'use-policy': 's.1.b.iv',
      'mau-700m': 's.2',
      ...improving,
    },
    ownFamilyOnly: { family: ['llama3'], open: ['llama3.1', 'llama3.2', 'llama3.3'], clause: 's.1.b.v' },
  }),
  'llama3.1': llama('Llama 3.1 Community License (23 July 2024)', 1),
  'llama3.2': multimodal(llama('Llama 3.2 Community License (25 September 2024)', 2)),
  'llama3.3': llama('Llama 3.3 Community License (6 December 2024)', 3),
  llama4: {
    ...multimodal(llama('Llama 4 Community License (5 April 2025)', 4)),
    approval:
      'All Llama 4 models are multimodal and the use policy grants nothing to EU licensees, so a person must confirm where ' +
      'the publisher is',
  },

  // Gemma 1 to 3n; Gemma 4 is under Apache 2.0.
  gemma: {
    title: 'Gemma Terms of Use (24 March 2025)',
    family: 'gemma',
    demands: {
      'licence-copy': 's.3.1(2)',
      'state-changes': 's.3.1(3)',
      'gemma-terms': 's.3.1(4) and 3.2',
      'use-policy': 's.3.1(1)',
    },
  },

  // OpenRAIL: restrictions on use pass on to every derivative.
  'bigscience-openrail-m': openRail('BigScience OpenRAIL-M (August 2022)'),
  'bigscience-bloom-rail-1.0': openRail('BigScience BLOOM RAIL 1.0'),
  'creativeml-openrail-m': openRail('CreativeML OpenRAIL-M (August 2022)'),
  'openrail++': openRail('CreativeML Open RAIL++-M'),
  'bigcode-openrail-m': openRail('BigCode OpenRAIL-M v1', { 'keep-docs': 'para 5.2.b' }),

  // Families, of which the id names no text.
  openrail: {
    ...textless('OpenRAIL is a family of licences, not a text', { 'use-policy': 'every text of the family' }),
    family: 'openrail',
  },
  cc: textless('Creative Commons is a family of licences, not a text', { attribution: 'every text of the family' }),
  gpl: textless('GNU GPL without a version is a family of licences, not a text'),
  lgpl: textless('GNU LGPL without a version is a family of licences, not a text'),
  unknown: { ...textless('No licence'), approval: 'No licence means no permission: it has to be found first' },

  // Research licences that the Hub has an id for.
  'fair-noncommercial-research-license': research('FAIR Noncommercial Research License'),
  'apple-amlr': research('Apple Machine Learning Research Model License'),
  'h-research': research('H Research License'),
  'intel-research': research('Intel Research Use License'),
  'deepfloyd-if-license': research('DeepFloyd IF License'),

  // `license: other` on the Hub; what is known of the text by this name.
  'other:qwen-research': custom('Qwen Research License (19 September 2024)', {
    'keep-notice': 's.3',
    'state-changes': 's.3',
    'built-with-qwen': 's.4(b)',
    'non-commercial': 's.2(a)',
  }),
  'other:mrl': custom('Mistral AI Research License 0.1', {
    'state-changes': 's.2.3',
    'non-commercial': 's.3.2',
    'research-only': 's.3.2, 4.3 and 9',
  }),
  'other:deepseek': custom('DeepSeek License 1.0 (October 2023)', {
    'keep-notice': 'para 4.d',
    'state-changes': 'para 4.c',
    'use-policy': 'para 4.a, 5 and Attachment A',
  }),
  'other:falcon-llm': custom('Falcon 2 11B TII License 1.0', {
    'keep-notice': 's.4',
    'state-changes': 's.4',
    'built-with-falcon': 's.6',
    'use-policy': 's.5, a policy that can change',
  }),
  'other:cohere-cc-by-nc': custom('CC BY-NC 4.0 with the acceptable use policy of Cohere', {
    attribution: 's.3(a)(1)',
    'state-changes': 's.3(a)(1)(B)',
    'use-policy': 'the policy that the card names',
    'non-commercial': 's.2(a)(1)',
  }),
  'other:yi': custom(
    'Yi License 1.0 (1 November 2023)',
    { attribution: 's.2', 'use-policy': 's.2', 'non-commercial': 's.2' },
    'the owner may have released that base anew under Apache 2.0, which a person must confirm',
  ),
};

function multimodal(terms: LicenceTerms): LicenceTerms {
  return { ...terms, demands: { ...terms.demands, 'eu-multimodal': 'the use policy, on multimodal models' } };
}

/** Weakest first: where nothing stricter is in the closure, the last of these gives the result its name. */
export const notableOrder: readonly string[] = Object.keys(licencePolicy).filter((id) =>
  ['public-domain', 'permissive', 'attribution'].includes(licencePolicy[id]?.family ?? ''),
);

/** Groups of which two at once leave it open how their terms sit on one set of weights. */
export const groups: Readonly<Record<string, (terms: LicenceTerms) => boolean>> = {
  Llama: ({ family }) => family === 'llama',
  Gemma: ({ family }) => family === 'gemma',
  OpenRAIL: ({ family }) => family === 'openrail',
  'non-commercial': ({ demands }) => demands['non-commercial'] !== undefined,
};

/** Steps between ShareAlike licences that lead round by a licence which nobody named. */
export const detours = [
  {
    from: ['cc-by-sa-3.0', 'cc-by-sa-4.0'],
    to: ['lgpl-3.0', 'agpl-3.0'],
    by: 'gpl-3.0',
    why: 'is not on the list of licences compatible with CC BY-SA 4.0, and a person must accept the way round by GPLv3',
  },
];

/** A text that the policy does not know: `other:NAME`, or an id that is not in the table. */
export function unlisted(name: string): LicenceTerms {
  return custom(name, {}, `the policy does not know ${name}, and ${reader}`);
}
