/** What makes up a tokenizer: two models whose files of these names are equal have the same tokenizer. */
export const TOKENIZER_FILES = [
  'tokenizer.json',
  'tokenizer.model',
  'vocab.json',
  'vocab.txt',
  'merges.txt',
  'added_tokens.json',
] as const;

/** Files that the result takes over from the base model (else the first) when `copyTokenizer` is on. */
const COPIED_FILES = new Set<string>([
  ...TOKENIZER_FILES,
  'tokenizer_config.json',
  'special_tokens_map.json',
  'chat_template.jinja',
  'chat_template.json',
  'generation_config.json',
  'preprocessor_config.json',
  'processor_config.json',
  'video_preprocessor_config.json',
  'normalizer.json',
]);

export function companionFiles(paths: readonly string[]): string[] {
  return paths.filter((path) => COPIED_FILES.has(path) || /^[^/]+\.tiktoken$/.test(path)).sort();
}
