import type { IssueList } from './issue-list.js';
import type { MethodName } from './methods/method.js';
import { findMeant } from './near-miss.js';

type Mapping = Readonly<Record<string, unknown>>;

/** A recipe that people keep writing, but for its models: what it gives holds where the recipe itself gives nothing. */
export interface Preset {
  doc: string;
  /** Where it comes from. */
  source: string;
  merge_method: MethodName;
  parameters: Mapping;
  /** Of each model, in order; absent: any number of models, all alike. */
  models?: readonly Mapping[];
}

const edges = [0.25, 0.5, 0.5, 0.25];
const rest = [0.75, 0.5, 0.5, 0.75];

export const presets = {
  model_soup: {
    doc: 'The plain mean of models that were fine-tuned from one.',
    source: 'https://arxiv.org/abs/2203.05482',
    merge_method: 'linear',
    parameters: { weight: 1, normalize: true },
  },
  chat_vector: {
    doc: 'First a model that was trained further from the base, second the base’s chat model: what chat training changed is added.',
    source: 'https://arxiv.org/abs/2310.04799',
    merge_method: 'task_arithmetic',
    parameters: { normalize: false, lambda: 1 },
    models: [{ weight: 1 }, { weight: 1 }],
  },
  sec_ties: {
    doc: 'First a model that was trained further from the base, second the base’s instruct model: TIES, half of each in the middle layers, more of the second at both ends.',
    source: 'https://huggingface.co/arcee-ai/Llama-3-SEC-Base/blob/main/mergekit_config.yml',
    merge_method: 'ties',
    parameters: { normalize: true },
    models: [
      {
        weight: [
          { filter: 'mlp', value: edges },
          { filter: 'self_attn', value: [0.25, 0.5, 0.5, 0] },
          { value: edges },
        ],
        density: 0.75,
      },
      {
        weight: [{ filter: 'mlp', value: rest }, { filter: 'self_attn', value: [0.75, 0.5, 0.5, 1] }, { value: rest }],
        density: 1,
      },
    ],
  },
} as const satisfies Record<string, Preset>;

export const presetNames = Object.keys(presets) as (keyof typeof presets)[];

/**
 * The recipe that a written one with a `preset` stands for: the same with the preset's method, and with its parameters where
 * it has none of its own. What has no preset is returned as it is; undefined when the preset cannot be used, with the reason among the issues.
 */
export function expandPreset(written: Mapping, issues: IssueList): Mapping | undefined {
  const { preset: given, ...own } = written;
  if (given === undefined || given === null) return written;
  const name = typeof given === 'string' ? given.slice(0, 60) : '';
  const preset = findPreset(name);
  if (preset === undefined) {
    const meant = findMeant(name, presetNames);
    const hint = meant === undefined ? `the presets are ${presetNames.join(', ')}` : `“${meant}” was probably meant`;
    issues.error('unknown_preset', ['preset'], `There is no preset “${name}”; ${hint}.`);
    return undefined;
  }
  if ('merge_method' in own) {
    const message = `The preset’s method is ${preset.merge_method}; leave merge_method out, or write the recipe without a preset.`;
    issues.error('preset_misused', ['merge_method'], message, 'key');
    return undefined;
  }
  const models = expandModels(own, name, preset, issues);
  if (models === undefined) return undefined;
  return {
    ...own,
    merge_method: preset.merge_method,
    models,
    parameters: withDefaults(own['parameters'], preset.parameters),
  };
}

function expandModels(own: Mapping, name: string, preset: Preset, issues: IssueList): unknown[] | undefined {
  const { models, base_model: base } = own;
  if (!Array.isArray(models)) {
    issues.error('preset_misused', ['models'], `The preset ${name} merges whole models: give a list of models.`);
    return undefined;
  }
  const entries: unknown[] = models;
  const { models: given } = preset;
  if (given === undefined) return entries;
  if (models.length !== given.length) {
    const message = `The preset ${name} merges ${given.length} models beside the base_model, not ${models.length}.`;
    issues.error('preset_misused', ['models'], message);
    return undefined;
  }
  const at = entries.findIndex((entry) => isMapping(entry) && base !== undefined && entry['model'] === base);
  if (at >= 0) {
    const message = `The preset ${name} needs a base_model other than its models.`;
    issues.error('preset_misused', ['models', at, 'model'], message);
    return undefined;
  }
  return entries.map((entry, index) =>
    isMapping(entry) ? { ...entry, parameters: withDefaults(entry['parameters'], given[index] ?? {}) } : entry,
  );
}

/** What is no mapping stays, for the schema to refuse. */
function withDefaults(written: unknown, defaults: Mapping): unknown {
  if (written === undefined || written === null) return defaults;
  return isMapping(written) ? { ...defaults, ...written } : written;
}

function findPreset(name: string): Preset | undefined {
  return Object.hasOwn(presets, name) ? presets[name as keyof typeof presets] : undefined;
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
