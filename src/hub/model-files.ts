const single = 'model.safetensors';
const index = 'model.safetensors.index.json';

/** Configuration, tokenizers of every kind, chat templates, processors of inputs. */
const companions =
  /^(?:config|generation_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|chat_template|preprocessor_config|processor_config|video_preprocessor_config|normalizer)\.json$|^(?:vocab|merges)\.txt$|^chat_template\.jinja$|^additional_chat_templates\/[^/]+\.jinja$|^[^/]+\.tiktoken$|^(?:tokenizer|spiece|sentencepiece|sentencepiece\.bpe)\.model$/;
const documents = /^(?:README\.md|(?:LICEN[CS]E|NOTICE|USE_POLICY|COPYING)(?:[-_.][A-Za-z0-9._-]*)?)$/i;
const unstored = /\.(?:pdf|docx?|html?|rtf)$/i;

/**
 * What decides whether and how a model can be loaded: everything at the top. Of two copies of the weights it is the one
 * that transformers loads: `model.safetensors` goes before an index.
 */
export function inspectedFiles<File extends { path: string }>(files: readonly File[]): File[] {
  const top = files.filter(({ path }) => !path.includes('/') || companions.test(path));
  if (!top.some(({ path }) => path === single)) return top;
  return top.filter(({ path }) => path === single || (path !== index && !path.endsWith('.safetensors')));
}

/**
 * What is fetched: the weights in one copy and one format, and what belongs to them.
 * @param shards files that hold the tensors, as the headers say
 */
export function neededFiles<File extends { path: string }>(files: readonly File[], shards: readonly string[]): File[] {
  const weights = new Set(shards);
  return inspectedFiles(files).filter(({ path }) => {
    if (weights.has(path) || companions.test(path)) return true;
    return path === index || (documents.test(path) && !unstored.test(path));
  });
}
