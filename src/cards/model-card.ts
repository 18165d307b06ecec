import { dump } from 'js-yaml';
import type { MergeReport, ReportMode } from '../engine/index.js';
import type { Assessment } from '../licences/assess.js';
import { licenceFields, licenceSection } from './licence-section.js';
import { withoutLocations } from './private-locations.js';
import { reportSection } from './report-section.js';
import { markdownBlock, markdownCode, markdownTable, markdownText } from './markdown.js';

/** A model that went into the merge. */
export interface CardInput {
  /** What names it now and for ever: `team/model@3`, or a directory's name on the command line. */
  name: string;
  role: 'base' | 'model';
  /** Repository name for the front matter (`owner/model`); absent where there is none, such as a local directory. */
  repository?: string;
  /** What it is on the Hub, pinned: `hf:org/name@commit`. */
  source?: string;
  /** SHA-256 of the manifest that was merged. */
  digest?: string;
  /** Licence identifier that the input declares. */
  licence?: string;
}

/** Everything that a card says. Nothing else reaches it: no clock, no host, no path. */
export interface ModelCard {
  method: { name: string; title: string; doc: string; paper?: { title: string; url: string } };
  inputs: readonly CardInput[];
  /** The pinned recipe, as YAML. */
  recipe: string;
  dtype: string;
  parameterCount: number;
  architecture?: string;
  seed: number;
  shardBytes: number;
  engineVersion: string;
  /** Number of tensors by what happened to them: merged, copied, dropped. */
  tensors: Readonly<Record<string, number>>;
  files: readonly { path: string; bytes: number; sha256: string }[];
  warnings?: readonly string[];
  /** What the merge did to the weights; its picture lies beside the card. */
  report?: MergeReport;
  /** Of the merge, where it is not the default. */
  reportMode?: ReportMode;
  allowNan?: boolean;
  /** Mermaid text of the ancestors. */
  lineage?: string;
  /** What the licences of all ancestors allow. */
  licence?: Assessment;
  /** Languages that the inputs' cards name. */
  languages?: readonly string[];
  /** Whether an input's card warns of its content. */
  isSensitive?: boolean;
}

/**
 * README.md of a merged model: the same card for the same input, whoever renders it and whenever. Names and warnings of
 * unknown origin are escaped, and where somebody keeps a model is left out.
 */
export function renderModelCard(given: ModelCard): string {
  const card = withoutPrivateLocations(given);
  const sections = [
    `---\n${frontMatter(card)}---`,
    `# ${markdownText(card.method.title)} merge of ${listed(card.inputs.map(({ name }) => markdownText(name)))}`,
    summary(card),
    '## What was merged',
    inputTable(card),
    '## Method',
    method(card),
    '## Recipe',
    isPinned(card)
      ? 'Every model is pinned: the names below will mean the same files tomorrow.'
      : 'Models are directories, named as they were where this merge was made.',
    markdownBlock('yaml', card.recipe),
    '## Settings',
    settings(card),
    ...(card.warnings?.length
      ? ['## Worth knowing', card.warnings.map((each) => `* ${markdownText(each)}`).join('\n')]
      : []),
    ...(card.report === undefined ? [] : ['## What the merge did', reportSection(card.report)]),
    ...(card.lineage === undefined ? [] : ['## Where it comes from', markdownBlock('mermaid', card.lineage)]),
    ...(card.licence === undefined ? [] : ['## Licence and attribution', licenceSection(card.licence)]),
    '## How to make it again',
    reproduction(card),
    '## Integrity',
    'What this version is made of. A file with another digest is not part of it.',
    markdownTable(
      ['File', 'Bytes', 'SHA-256'],
      card.files.map(({ path, bytes, sha256 }) => [markdownCode(path), number(bytes), markdownCode(sha256)]),
    ),
  ];
  return `${sections.join('\n\n')}\n`;
}

/** Directories have no digest, and no name that means the same elsewhere. */
function isPinned({ inputs }: ModelCard): boolean {
  return inputs.every(({ digest }) => digest !== undefined);
}

/** What a merge inherits from its inputs' cards: the same for the same cards, in any order. */
export function sharedFacts(
  cards: readonly { languages: readonly string[]; tags: readonly string[] }[],
): Pick<ModelCard, 'languages' | 'isSensitive'> {
  const languages = [...new Set(cards.flatMap((card) => card.languages))].sort();
  return { languages, isSensitive: cards.some(({ tags }) => tags.includes('not-for-all-audiences')) };
}

function withoutPrivateLocations(card: ModelCard): ModelCard {
  const inputs = card.inputs.map((input) => {
    const { name, repository, ...rest } = input;
    // Only what the Hub could have by this name: anything else is a place.
    const isName = repository !== undefined && withoutLocations(repository) === repository;
    return { ...rest, name: withoutLocations(name), ...(isName && { repository }) };
  });
  const warnings = card.warnings?.map(withoutLocations);
  return { ...card, inputs, recipe: withoutLocations(card.recipe), ...(warnings && { warnings }) };
}

/** Built by a serializer, never from a template: names are data. */
function frontMatter(card: ModelCard): string {
  const repositories = [...new Set(card.inputs.flatMap(({ repository }) => repository ?? []))];
  const { licence, languages = [], architecture = '' } = card;
  return dump(
    {
      ...(repositories.length > 0 && { base_model: repositories }),
      base_model_relation: 'merge',
      library_name: 'transformers',
      ...(/(?:ForCausalLM|LMHeadModel)$/.test(architecture) && { pipeline_tag: 'text-generation' }),
      ...(licence && licenceFields(licence)),
      ...(languages.length > 0 && { language: [...languages] }),
      tags: [
        ...['merge', 'amalgam', card.method.name.replaceAll('_', '-')],
        ...(card.isSensitive === true ? ['not-for-all-audiences'] : []),
      ],
    },
    { lineWidth: -1 },
  );
}

function summary({ method, inputs, parameterCount, dtype, architecture }: ModelCard): string {
  const kind = architecture === undefined ? 'model' : `${markdownText(architecture)} model`;
  return (
    `A ${kind} with ${number(parameterCount)} parameters in ${markdownText(dtype)}, made by Amalgam out of ` +
    `${inputs.length} ${inputs.length === 1 ? 'model' : 'models'} with the ${markdownText(method.title)} method.`
  );
}

function inputTable(card: ModelCard): string {
  const digests = isPinned(card);
  const sources = card.inputs.some(({ source }) => source !== undefined);
  return markdownTable(
    ['Model', 'Role', ...(sources ? ['On the Hub'] : []), ...(digests ? ['Manifest SHA-256'] : []), 'Licence'],
    card.inputs.map(({ name, role, source, digest, licence }) => [
      markdownCode(name),
      role,
      ...(sources ? [source === undefined ? '' : markdownCode(source)] : []),
      ...(digests ? [markdownCode(digest ?? '')] : []),
      licence === undefined ? 'not declared' : markdownText(licence),
    ]),
  );
}

function method({ method: { title, doc, paper }, inputs }: ModelCard): string {
  const base = inputs.find(({ role }) => role === 'base');
  const lines = [`**${markdownText(title)}.** ${markdownText(doc)}`];
  if (base) lines.push(`The base is ${markdownCode(base.name)}.`);
  // Titles and addresses of papers are this program's own: they are links as they stand.
  if (paper) lines.push(`Described in [${paper.title}](${paper.url}).`);
  return lines.join(' ');
}

function settings(card: ModelCard): string {
  const tensors = Object.entries(card.tensors).filter(([, count]) => count > 0);
  return markdownTable(
    ['Setting', 'Value'],
    [
      ['Seed', number(card.seed, false)],
      ['Element type', markdownText(card.dtype)],
      ['Parameters', number(card.parameterCount)],
      ['Tensors', tensors.map(([outcome, count]) => `${number(count)} ${markdownText(outcome)}`).join(', ')],
      ['Largest shard', `${number(card.shardBytes)} bytes`],
      ['Engine', markdownText(card.engineVersion)],
    ],
  );
}

function reproduction(card: ModelCard): string {
  const { seed, shardBytes } = card;
  const flags = `--random-seed ${seed} --out-shard-size ${shardBytes}`;
  const { reportMode, allowNan = false } = card;
  const query =
    `output=team/name&seed=${seed}&shardBytes=${shardBytes}` +
    `${reportMode === undefined ? '' : `&report=${reportMode}`}${allowNan ? '&allowNan=true' : ''}`;
  const more = `${reportMode === undefined ? '' : ` --report ${reportMode}`}${allowNan ? ' --allow-nan' : ''}`;
  const service =
    '# a service whose registry has these models\n' +
    `curl --data-binary @recipe.yaml -H 'content-type: application/yaml' "$AMALGAM_URL/v1/merges?${query}"\n`;
  const local = `# the command line, where each model name is a directory\namalgam merge recipe.yaml ./merged ${flags}${more}`;
  const pulled = isPinned(card) ? ', once each model is pulled and its name replaced by its directory' : '';
  return [
    'Save the recipe above as `recipe.yaml`. Amalgam writes the same bytes again, on any machine and with any number of threads:',
    markdownBlock('sh', isPinned(card) ? service + local : local),
    `MergeKit understands the recipe too${pulled}; its weights agree within rounding:`,
    markdownBlock('sh', `mergekit-yaml recipe.yaml ./merged ${flags}`),
  ].join('\n\n');
}

function listed(names: readonly string[]): string {
  if (names.length <= 1) return names[0] ?? 'nothing';
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
}

/** Grouped by commas without the locale's help: Intl's data differ between builds of Node. */
function number(value: number, grouped = true): string {
  return grouped ? String(value).replace(/\B(?=(\d{3})+$)/g, ',') : String(value);
}
