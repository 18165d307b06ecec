/**
 * Licences of models that many others are made from, by the beginning of their name on the Hub. A card that names one of them
 * as its base has that ancestor, whether the registry holds it or not. The first line that fits counts. Only what its owner
 * publishes under one licence throughout is listed: a base that is not found here is unknown, and a person decides.
 */
const origins: readonly (readonly [beginning: string, licence: string])[] = [
  ['meta-llama/Llama-2-', 'llama2'],
  ['meta-llama/Meta-Llama-3-', 'llama3'],
  ['meta-llama/Meta-Llama-3.1-', 'llama3.1'],
  ['meta-llama/Llama-3.1-', 'llama3.1'],
  ['meta-llama/Llama-3.2-', 'llama3.2'],
  ['meta-llama/Llama-3.3-', 'llama3.3'],
  ['meta-llama/Llama-4-', 'llama4'],
  ['google/gemma-4-', 'apache-2.0'],
  ['google/gemma-', 'gemma'],
  ['bigcode/starcoder', 'bigcode-openrail-m'],
  ['bigscience/bloom', 'bigscience-bloom-rail-1.0'],
  ['CohereForAI/', 'other:cohere-cc-by-nc'],
  ['CohereLabs/', 'other:cohere-cc-by-nc'],
  ['mistralai/Mistral-7B-', 'apache-2.0'],
  ['mistralai/Mixtral-8x7B-', 'apache-2.0'],
  ['mistralai/Mixtral-8x22B-', 'apache-2.0'],
  ['Qwen/Qwen2.5-3B', 'other:qwen-research'],
  ['Qwen/Qwen3-', 'apache-2.0'],
  ['HuggingFaceTB/SmolLM', 'apache-2.0'],
  ['EleutherAI/pythia-', 'apache-2.0'],
  ['allenai/OLMo-', 'apache-2.0'],
];

export function findOrigin(name: string): string | undefined {
  return origins.find(([beginning]) => name.toLowerCase().startsWith(beginning.toLowerCase()))?.[1];
}
