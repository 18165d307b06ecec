import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type Api, startApi } from '../support/api.js';
import { environment, describeWith } from '../support/environment.js';
import { importModel } from '../support/imports.js';
import { S3Folder } from '../support/s3-folder.js';
import { type SeaweedFs, startSeaweedFs } from '../support/seaweedfs.js';
import { syntheticModel } from '../support/synthetic-model.js';

void environment;
jest.setTimeout(120_000);

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');
const weights = syntheticModel({ layers: 20, layerBytes: 4_000_000, seed: 7 });
const model = { ...weights, 'README.md': '---\nlicense: apache-2.0\n---\n# A model\n', 'tokenizer.json': '{}' };
const beside = { 'pytorch_model.bin': 'pickle', 'checkpoint-1/model.safetensors': 'x', 'run.py': 'print()' };

describeWith(['s3'], 'imports from a bucket', () => {
  let server: SeaweedFs;
  let folder: S3Folder;
  let api: Api;
  beforeAll(async () => {
    server = await startSeaweedFs('models');
    folder = new S3Folder(server.config);
    const { url, bucket, accessKey, secretKey } = server.config;
    const source = { url, bucket, accessKey, secretKey, prefix: 'released', namespaces: ['in'] };
    api = await startApi({ AMALGAM_S3_SOURCES: JSON.stringify([source]) });
  }, 90_000);
  afterAll(async () => {
    await api.close();
    await server.stop();
  });

  test('a model becomes a version', async () => {
    await folder.put('released/one', { ...model, ...beside });
    const { body, events } = await importModel(api.client, { source: 's3://models/released/one', model: 'in/one' });
    console.log(JSON.stringify(body), JSON.stringify(events));
    expect(body).toMatchObject({ state: 'succeeded', version: 'in/one@1' });
    void sha256;
  });
});
