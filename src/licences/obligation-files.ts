import type { Assessment } from './assess.js';
import { type Closure, compare, pathText } from './closure.js';
import { termsOf } from './licence-id.js';
import type { Obligation } from './obligations.js';

/** A file of a version in the closure that holds a licence or a notice. */
export interface LicenceSource {
  path: string;
  text: string;
  /** The licence that the text is; undefined for a NOTICE, and for a text that nobody knows. */
  licence?: string;
}

/** What has to lie beside the weights, stand on the card and begin the name, so that the obligations are carried out. */
export interface ObligationFiles {
  /** LICENSE and NOTICE; none when there is nothing to say. */
  files: { path: 'LICENSE' | 'NOTICE'; text: string }[];
  /** Sentences that the card must show, such as "Built with Llama". */
  creditLines: string[];
  /** What the published name must begin with. */
  namePrefix?: 'Llama' | 'Llama 3';
  /** Agreements that must be shipped but of which no file in the closure holds the text: publishing without is a breach. */
  missingTexts: string[];
}

const credits: readonly (readonly [Obligation, string])[] = [
  ['built-with-llama-3', 'Built with Meta Llama 3'],
  ['built-with-llama', 'Built with Llama'],
  ['built-with-qwen', 'Built with Qwen'],
  ['built-with-falcon', 'Built using Falcon LLM technology from the Technology Innovation Institute'],
];

/** Section 1.b.iii of each, and 3.1(4) of the Gemma Terms: the sentences that a Notice file must have. */
const noticeSentences: Readonly<Record<string, string>> = {
  llama2:
    'Llama 2 is licensed under the LLAMA 2 Community License, Copyright (c) Meta Platforms, Inc. All Rights Reserved.',
  llama3:
    'Meta Llama 3 is licensed under the Meta Llama 3 Community License, Copyright © Meta Platforms, Inc. All Rights Reserved.',
  'llama3.1':
    'Llama 3.1 is licensed under the Llama 3.1 Community License, Copyright © Meta Platforms, Inc. All Rights Reserved.',
  'llama3.2':
    'Llama 3.2 is licensed under the Llama 3.2 Community License, Copyright © Meta Platforms, Inc. All Rights Reserved.',
  'llama3.3':
    'Llama 3.3 is licensed under the Llama 3.3 Community License, Copyright © Meta Platforms, Inc. All Rights Reserved.',
  llama4:
    'Llama 4 is licensed under the Llama 4 Community License, Copyright © Meta Platforms, Inc. All Rights Reserved.',
  gemma: 'Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms',
};

/** Sentences that the card of a published model must show. */
export function creditLines(owed: readonly Obligation[]): string[] {
  return credits.flatMap(([obligation, line]) => (owed.includes(obligation) ? [line] : []));
}

/** Nothing for what is denied. Order of the sources does not matter; texts that are the same appear once. */
export function obligationFiles(
  assessment: Assessment,
  closure: Closure,
  sources: readonly LicenceSource[],
): ObligationFiles {
  const owed = new Set(assessment.obligations);
  if (owed.size === 0) return { files: [], creditLines: [], missingTexts: [] };
  const licence = licenceFile(assessment, closure, sources);
  const prefix = owed.has('name-prefix-llama-3') ? 'Llama 3' : owed.has('name-prefix-llama') ? 'Llama' : undefined;
  return {
    files: [
      { path: 'LICENSE', text: licence },
      { path: 'NOTICE', text: noticeFile(assessment, closure, sources) },
    ],
    creditLines: creditLines(assessment.obligations),
    ...(prefix !== undefined && { namePrefix: prefix }),
    missingTexts: missing(closure, sources),
  };
}

/** Whether a name begins as a licence wants it: dashes and dots may stand for the space in "Llama 3". */
export function hasNamePrefix(name: string, prefix: 'Llama' | 'Llama 3'): boolean {
  return prefix === 'Llama' ? name.startsWith('Llama') : /^Llama[ ._-]?3(?!\d)/.test(name);
}

function licenceFile(assessment: Assessment, closure: Closure, sources: readonly LicenceSource[]): string {
  const title =
    assessment.resultLicence === 'other'
      ? `This model is under several terms at once: ${assessment.licenceName ?? ''}.`
      : `This model as a whole is under: ${termsOf(assessment.resultLicence).title}.`;
  const texts = distinct(sources.filter(({ path }) => !/^notice/i.test(path)));
  const sections = closure.licences
    .filter((id) => id !== 'unknown')
    .map((id) => {
      const own = texts.filter(({ licence }) => licence === id).map(({ text }) => text.trim());
      const body =
        own.length === 0
          ? 'Its text is not among the files of the models that this one was made from.'
          : own.join('\n\n');
      return section(`${termsOf(id).title} (${id})`, body);
    });
  const unread = texts
    .filter(({ licence }) => licence === undefined)
    .map(({ text }) => section('A licence file of an ancestor', text.trim()));
  return `${[title, 'The terms of all models that it was made from stay in force; they follow.', ...sections, ...unread].join('\n\n')}\n`;
}

function noticeFile({ obligations }: Assessment, closure: Closure, sources: readonly LicenceSource[]): string {
  const sentences = closure.licences.flatMap((id) => noticeSentences[id] ?? []);
  const ways = [...new Set(closure.nodes.map((_, index) => pathText(closure.pathThrough(index))))].sort(compare);
  const changes = obligations.includes('state-changes')
    ? ['The weights were changed: they were merged with those of the other models below.']
    : [];
  const notices = distinct(sources.filter(({ path }) => /^notice/i.test(path))).map(({ text }) =>
    section('Notice of an ancestor', text.trim()),
  );
  const made = `This model was made from:\n${ways.map((way) => `  ${way}`).join('\n')}`;
  return `${[...creditLines(obligations), ...sentences, ...changes, made, ...notices].join('\n\n')}\n`;
}

/** Of agreements and custom texts a copy must go along; for notices the credit is enough. */
function missing(closure: Closure, sources: readonly LicenceSource[]): string[] {
  const held = new Set(sources.map(({ licence }) => licence));
  return closure.licences.filter((id) => {
    const { demands } = termsOf(id);
    return (demands['licence-copy'] ?? demands['attach-text']) !== undefined && !held.has(id);
  });
}

function distinct(sources: readonly LicenceSource[]): LicenceSource[] {
  const byText = new Map(sources.map((source) => [source.text.trim(), source]));
  return [...byText.values()].sort((a, b) => compare(a.text, b.text));
}

function section(title: string, body: string): string {
  const rule = '-'.repeat(72);
  return `${rule}\n${title}\n${rule}\n\n${body}`;
}
