import { describe, expect, test } from '@jest/globals';
import { inspectedFiles, neededFiles } from './model-files.js';

const filesOf = (...paths: string[]) => paths.map((path) => ({ path, bytes: 1, gitOid: '' }));
const pathsOf = (files: { path: string }[]) => files.map(({ path }) => path);

const beside = ['config.json', 'tokenizer.model', 'chat_template.jinja', 'additional_chat_templates/tool.jinja'];
const documents = ['README.md', 'LICENSE', 'LICENSE.txt', 'NOTICE', 'USE_POLICY.md'];

describe('files of a model', () => {
  test('of weights in several formats the safetensors are fetched, with what belongs to them', () => {
    const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
    const all = filesOf(
      ...['model.safetensors.index.json', ...shards, ...beside, ...documents],
      ...['consolidated.safetensors', 'pytorch_model.bin', 'model.gguf', 'original/params.json', 'onnx/model.onnx'],
      ...['training_args.bin', '.gitattributes', 'LICENSE.pdf', 'run.py', 'original/tokenizer.model'],
    );
    const expected = ['model.safetensors.index.json', ...shards, ...beside, ...documents];
    expect(pathsOf(neededFiles(all, shards))).toEqual(expected);
  });

  test('one file goes before an index beside it', () => {
    const all = filesOf('model.safetensors', 'model.safetensors.index.json', 'model-00001-of-00001.safetensors');
    expect(pathsOf(inspectedFiles(all))).toEqual(['model.safetensors']);
  });
});
