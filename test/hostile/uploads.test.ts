import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Api, problemOf, putFile, startApi } from '../support/api.js';
import { text } from '../support/checkpoint-bytes.js';
import { checkpointAttacks } from './checkpoint-attacks.js';

let api: Api;

beforeAll(async () => {
  api = await startApi();
  await api.client.post('/v1/models', { namespace: 'evil', name: 'model' });
}, 120_000);

afterAll(() => api.close());

const begin = async () => String((await api.client.post('/v1/models/evil/model/uploads')).body['id']);

/** Codes of a missing file: the upload stays open for it, so its owner has to give it up. */
const repairable = ['weights_missing', 'index_missing', 'index_shard_missing'];

describe('a checkpoint', () => {
  // The registry takes models without config.json; everything else is refused as the engine refuses it.
  const attacks = checkpointAttacks
    .filter(({ code }) => code !== 'config_missing')
    .map((attack) => [attack.name, attack] as const);

  test.each(attacks)('%s', async (_name, { code, files }) => {
    const upload = await begin();
    const codes: string[] = [];
    for (const [path, bytes] of Object.entries(files())) {
      const sent = await putFile(api.url, upload, encodeURIComponent(path), bytes);
      if (sent.status !== 200) codes.push((await problemOf(sent)).code);
    }
    const done = await api.client.post(`/v1/uploads/${upload}/complete`);
    expect(done.status).toBeGreaterThanOrEqual(400);
    expect(done.status).toBeLessThan(500);
    codes.push(String(done.body['code']));
    if (codes.length === 1) expect(codes).toEqual([code]);
    else
      expect(['pickle_not_supported', 'file_not_allowed', 'file_path_invalid', 'body_too_large']).toContain(codes[0]);
    const left = await fetch(`${api.url}/v1/uploads/${upload}`, { method: 'DELETE' });
    expect(left.status).toBe(
      repairable.includes(codes.at(-1) ?? '') || codes.at(-1) === 'upload_incomplete' ? 204 : 404,
    );
    expect(await api.storedKeys()).toEqual([]);
  });
});

describe('a path', () => {
  test.each([
    ['../escape.txt', 'file_path_invalid'],
    ['a/../../escape.txt', 'file_path_invalid'],
    ['/etc/passwd.txt', 'file_path_invalid'],
    ['a//b.txt', 'file_path_invalid'],
    ['./a.txt', 'file_path_invalid'],
    ['a/', 'file_path_invalid'],
    ['a\\..\\b.txt', 'file_path_invalid'],
    ['C:\\a.txt', 'file_path_invalid'],
    ['C:a.txt', 'file_path_invalid'],
    ['a\u0000.txt', 'file_path_invalid'],
    ['a\n.txt', 'file_path_invalid'],
    ['a\u202etxt.json', 'file_path_invalid'],
    ['.git/config.txt', 'file_path_invalid'],
    ['.hidden.json', 'file_path_invalid'],
    ['a./b.txt', 'file_path_invalid'],
    ['a.txt.', 'file_path_invalid'],
    ['a.txt ', 'file_path_invalid'],
    ['1/2/3/4/5/6/7/8/9.txt', 'file_path_invalid'],
    [`${'x'.repeat(256)}.txt`, 'file_path_invalid'],
    ['pytorch_model.bin', 'pickle_not_supported'],
    ['model.PT', 'pickle_not_supported'],
    ['sub/weights.ckpt', 'pickle_not_supported'],
    ['optimizer.pkl', 'pickle_not_supported'],
    ['modeling_evil.py', 'code_not_allowed'],
    ['run.sh', 'code_not_allowed'],
    ['evil.so', 'code_not_allowed'],
    ['page.html', 'file_not_allowed'],
    ['image.svg', 'file_not_allowed'],
    ['model.gguf', 'file_not_allowed'],
    ['archive.zip', 'file_not_allowed'],
    ['noextension', 'file_not_allowed'],
  ])('%j is refused', async (path, code) => {
    const upload = await begin();
    const answer = await putFile(api.url, upload, encodeURIComponent(path), text('x'));
    expect(await problemOf(answer)).toMatchObject({ status: 422, code });
    expect((await api.client.get(`/v1/uploads/${upload}`)).body['files']).toEqual([]);
    expect(await api.storedKeys()).toEqual([]);
  });

  test('two that one folder cannot hold are refused', async () => {
    const upload = await begin();
    await putFile(api.url, upload, 'README.md', text('x'));
    await putFile(api.url, upload, 'readme.md', text('y'));
    const done = await api.client.post(`/v1/uploads/${upload}/complete`);
    expect(done.body).toMatchObject({ status: 422, code: 'file_path_invalid' });
    expect(await api.storedKeys()).toEqual([]);
  });

  test('a file that is another one`s folder is refused', async () => {
    const upload = await begin();
    await putFile(api.url, upload, 'a.txt', text('x'));
    await putFile(api.url, upload, 'a.txt/b.txt', text('y'));
    const done = await api.client.post(`/v1/uploads/${upload}/complete`);
    expect(done.body).toMatchObject({ status: 422, code: 'file_path_invalid' });
    expect(await api.storedKeys()).toEqual([]);
  });
});

test('nothing of all this made a version, and the server is well', async () => {
  expect((await api.client.get('/v1/models/evil/model')).body['latestVersion']).toBeNull();
  expect((await api.client.get('/readyz')).status).toBe(200);
});
