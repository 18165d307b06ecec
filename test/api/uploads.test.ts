import { readdir, utimes } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DataSource } from 'typeorm';
import type { Config } from '../../src/config.js';
import { UploadSweeper } from '../../src/models/upload-sweeper.service.js';
import { CONFIG } from '../../src/platform/tokens.js';
import { type Api, problemOf, putFile, sha256, startApi } from '../support/api.js';
import { text, zeroCheckpoint } from '../support/checkpoint-bytes.js';
import { until } from '../support/child-server.js';

const partBytes = 8 * 2 ** 20;
const config = text('{"architectures":["LlamaForCausalLM"],"model_type":"llama"}');
const small = zeroCheckpoint([{ name: 'a', dtype: 'F32', shape: [4] }])['model.safetensors'] ?? new Uint8Array();
/** Two parts and a bit. */
const large =
  zeroCheckpoint([{ name: 'a', dtype: 'F32', shape: [9_000_000] }])['model.safetensors'] ?? new Uint8Array();
// Parts that are exchanged must be seen.
large.forEach((_, at) => at % 4096 === 0 && at > 4096 && (large[at] = at / 4096));

let api: Api;

beforeAll(async () => {
  api = await startApi();
  await api.client.post('/v1/models', { namespace: 'team', name: 'model' });
}, 120_000);

afterAll(() => api.close());

async function begin(): Promise<string> {
  const { status, body, headers } = await api.client.post('/v1/models/team/model/uploads');
  expect(status).toBe(201);
  expect(headers.get('location')).toBe(`/v1/uploads/${String(body['id'])}`);
  return String(body['id']);
}

const put = (upload: string, path: string, bytes: Uint8Array, headers: Record<string, string> = {}) =>
  putFile(api.url, upload, path, bytes, headers);
const complete = (upload: string, body: object = {}) => api.client.post(`/v1/uploads/${upload}/complete`, body);
const range = (from: number, to: number) => ({
  'content-range': `bytes ${from}-${to - 1}/${large.length}`,
  'x-content-sha256': sha256(large),
});
const received = async (upload: string) =>
  ((await api.client.get(`/v1/uploads/${upload}`)).body['files'] as { received: number; done: boolean }[])[0];

describe('a version', () => {
  test('is made of files that are sent in any order and of any content type, and appears at once', async () => {
    const upload = await begin();
    const weights = await put(upload, 'model.safetensors', small, { 'content-type': 'application/json' });
    expect(weights.status).toBe(200);
    expect(await weights.json()).toMatchObject({ bytes: small.length, received: small.length, done: true });
    expect(
      (await put(upload, 'config.json', config, { 'content-type': 'multipart/form-data; boundary=x' })).status,
    ).toBe(200);
    expect((await put(upload, 'sub/notes.txt', new Uint8Array())).status).toBe(200);
    expect((await api.client.get('/v1/models/team/model')).body['latestVersion']).toBeNull();

    const done = await complete(upload, { alias: 'production' });
    expect(done.status).toBe(201);
    expect(done.headers.get('location')).toBe('/v1/models/team/model/versions/1');
    expect(done.body).toMatchObject({
      version: 1,
      aliases: ['latest', 'production'],
      parameterCount: 4,
      architecture: 'LlamaForCausalLM',
    });
    expect((await api.client.bytes('/v1/models/team/model/versions/1/files/sub/notes.txt')).length).toBe(0);

    const again = await complete(upload);
    expect(again.body).toMatchObject({ version: 1 });
    expect((await api.client.get(`/v1/uploads/${upload}`)).body).toMatchObject({ state: 'completed', version: 1 });
    expect(await problemOf(await put(upload, 'x.txt', text('x')))).toMatchObject({
      status: 409,
      code: 'upload_closed',
    });
    const discarded = await fetch(`${api.url}/v1/uploads/${upload}`, { method: 'DELETE' });
    expect(await problemOf(discarded)).toMatchObject({ status: 409, code: 'upload_closed' });
  });

  test('two completions at once make one', async () => {
    const upload = await begin();
    await put(upload, 'model.safetensors', small);
    await put(upload, 'config.json', config);
    const before = (await api.client.get('/v1/models/team/model')).body['latestVersion'] as number;
    const answers = await Promise.all([complete(upload), complete(upload), complete(upload)]);
    expect(answers.some(({ status }) => status === 201)).toBe(true);
    for (const { status, body } of answers) if (status !== 201) expect(body['code']).toBe('upload_closed');
    expect((await api.client.get('/v1/models/team/model')).body['latestVersion']).toBe(before + 1);
  });

  test('is not made of nothing, nor of half a file, and what is missing can be sent then', async () => {
    const upload = await begin();
    expect((await complete(upload)).body).toMatchObject({ status: 409, code: 'upload_incomplete' });
    expect((await put(upload, 'model.safetensors', large.subarray(0, partBytes), range(0, partBytes))).status).toBe(
      200,
    );
    expect((await complete(upload)).body).toMatchObject({ code: 'upload_incomplete' });
    const other = await begin();
    await put(other, 'config.json', config);
    expect((await complete(other)).body).toMatchObject({ status: 422, code: 'weights_missing' });
    await put(other, 'model.safetensors', small);
    expect((await complete(other)).status).toBe(201);
  });
});

describe('a file', () => {
  test('goes on where a broken connection left it, and its digest covers all of it', async () => {
    const upload = await begin();
    const { hostname, port } = new URL(api.url);
    const broken = httpRequest({
      ...{ hostname, port, method: 'PUT', path: `/v1/uploads/${upload}/files/model.safetensors` },
      headers: { 'content-length': large.length, 'x-content-sha256': sha256(large) },
    });
    broken.on('error', () => undefined);
    broken.write(large.subarray(0, partBytes + 1000));
    await until('the first part is stored', async () => (await received(upload))?.received === partBytes);
    broken.destroy();

    const wrong = await put(upload, 'model.safetensors', large.subarray(5), range(5, large.length));
    expect(await problemOf(wrong)).toMatchObject({ status: 409, code: 'upload_offset_mismatch', received: partBytes });
    const rest = await put(upload, 'model.safetensors', large.subarray(partBytes), range(partBytes, large.length));
    expect(await rest.json()).toMatchObject({ done: true, received: large.length });
    await put(upload, 'config.json', config);
    const { body } = await complete(upload);
    const bytes = await api.client.bytes(
      `/v1/models/team/model/versions/${String(body['version'])}/files/model.safetensors`,
    );
    expect(bytes.equals(large)).toBe(true);
  });

  test('may come in ranges of the client`s choice; each answer says where to go on', async () => {
    const upload = await begin();
    let at = 0;
    for (let requests = 0; at < large.length; requests += 1) {
      expect(requests).toBeLessThan(20);
      const end = Math.min(at + 6_000_000, large.length);
      const answer = await put(upload, 'model.safetensors', large.subarray(at, end), range(at, end));
      const file = (await answer.json()) as { received: number };
      expect(file.received).toBeGreaterThan(at);
      at = file.received;
    }
    expect((await received(upload))?.done).toBe(true);
  });

  test('whose bytes are others than announced is not kept, at once or in ranges', async () => {
    const before = await api.storedKeys();
    const upload = await begin();
    const wrong = await put(upload, 'model.safetensors', small, { 'x-content-sha256': 'a'.repeat(64) });
    expect(await problemOf(wrong)).toMatchObject({ status: 422, code: 'digest_mismatch' });
    const flipped = Buffer.from(large);
    flipped[partBytes + 7] = 1;
    await put(upload, 'config.json', flipped.subarray(0, partBytes), range(0, partBytes));
    const end = await put(upload, 'config.json', flipped.subarray(partBytes), range(partBytes, large.length));
    expect(await problemOf(end)).toMatchObject({ code: 'digest_mismatch' });
    expect(await api.storedKeys()).toEqual(before);
    expect((await received(upload))?.received).toBe(0);
    expect((await put(upload, 'model.safetensors', small)).status).toBe(200);
  });

  test('is replaced when it is sent again, and the first copy is freed', async () => {
    const upload = await begin();
    const before = await api.storedKeys();
    await put(upload, 'config.json', text('{"a":1}'));
    await put(upload, 'config.json', text('{"a":2}'));
    expect((await api.storedKeys()).length).toBe(before.length + 1);
    expect(await received(upload)).toMatchObject({ sha256: sha256(text('{"a":2}')), done: true });
  });

  test('that is sent twice at once has one sender in the end, and no bytes are left over', async () => {
    const upload = await begin();
    const before = await api.storedKeys();
    const variants = [0, 1, 2].map((first) => Buffer.from(large).fill(first, 8192, 8193));
    const answers = await Promise.all(variants.map((bytes) => put(upload, 'model.safetensors', bytes)));
    const won = answers.filter(({ status }) => status === 200);
    expect(won.length).toBeGreaterThan(0);
    for (const answer of answers)
      if (answer.status !== 200) expect(await problemOf(answer)).toMatchObject({ code: 'upload_superseded' });
    const stored = await received(upload);
    expect(stored?.done).toBe(true);
    expect((await api.storedKeys()).length).toBe(before.length + 1);
  });

  test.each([
    ['no digest', { 'x-content-sha256': '' }, 'malformed_header'],
    ['a short digest', { 'x-content-sha256': 'abc' }, 'malformed_header'],
    ['a range of other length', { 'content-range': 'bytes 0-1/16' }, 'malformed_header'],
    ['a range beyond its end', { 'content-range': 'bytes 90-105/16' }, 'malformed_header'],
    ['a range in other units', { 'content-range': 'lines 0-15/16' }, 'malformed_header'],
    ['a small range that is not the end', { 'content-range': 'bytes 0-15/1000' }, 'chunk_too_small'],
    ['a range that continues nothing', { 'content-range': 'bytes 4-19/20' }, 'upload_offset_mismatch'],
    [
      'a size beyond every model',
      { 'content-range': 'bytes 499999999985-500000000000/500000000001' },
      'body_too_large',
    ],
  ])('with %s is refused', async (_name, headers, code) => {
    const answer = await put(await begin(), 'model.safetensors', new Uint8Array(16), headers);
    expect(await problemOf(answer)).toMatchObject({ code });
  });

  test('beyond the 12,000th is refused; those that are there can still be sent again', async () => {
    const database = api.get(DataSource);
    const upload = await begin();
    expect((await put(upload, 'a.txt', text('a'))).status).toBe(200);
    await database.query(
      `insert into upload_files (upload_id, path, bytes, sha256, object_key, received, done)
       select $1, 'n' || n || '.txt', 1, $2, 'blobs/none-' || n, 1, true from generate_series(2, 12000) n`,
      [upload, sha256(text('n'))],
    );
    const problem = await problemOf(await put(upload, 'one-more.txt', text('x')));
    expect(problem).toMatchObject({ code: 'upload_too_many_files', detail: 'A version has at most 12000 files.' });
    expect((await put(upload, 'a.txt', text('b'))).status).toBe(200);
    // Not through the API, which would look for 11,999 objects that do not exist.
    await database.query('delete from uploads where id = $1', [upload]);
  }, 30_000);

  test('needs a digest and a length', async () => {
    const url = `${api.url}/v1/uploads/${await begin()}/files/a.txt`;
    expect(await problemOf(await fetch(url, { method: 'PUT', body: 'x' }))).toMatchObject({ code: 'digest_required' });
    const body = new Blob(['x']).stream();
    const chunked = { method: 'PUT', body, duplex: 'half', headers: { 'x-content-sha256': sha256(text('x')) } };
    expect(await problemOf(await fetch(url, chunked as RequestInit))).toMatchObject({
      status: 411,
      code: 'length_required',
    });
  });

  test('of a kind that people read is not larger than that', async () => {
    const answer = await put(await begin(), 'README.md', new Uint8Array(2_000_001));
    expect(await problemOf(answer)).toMatchObject({ status: 413, code: 'body_too_large' });
  });
});

describe('an upload that is given up', () => {
  test('leaves nothing', async () => {
    const before = await api.storedKeys();
    const upload = await begin();
    await put(upload, 'config.json', config);
    await put(upload, 'model.safetensors', large.subarray(0, partBytes), range(0, partBytes));
    expect((await fetch(`${api.url}/v1/uploads/${upload}`, { method: 'DELETE' })).status).toBe(204);
    expect(await api.storedKeys()).toEqual(before);
    expect((await api.client.get(`/v1/uploads/${upload}`)).body).toMatchObject({ code: 'upload_not_found' });
  });

  test('takes its file with it while that is being sent', async () => {
    const before = await api.storedKeys();
    const upload = await begin();
    const sending = put(upload, 'model.safetensors', large);
    await until('the file has begun', async () => (await received(upload)) !== undefined);
    await fetch(`${api.url}/v1/uploads/${upload}`, { method: 'DELETE' });
    const answer = await sending;
    if (answer.status !== 200) expect(await problemOf(answer)).toMatchObject({ code: 'upload_superseded' });
    expect(await api.storedKeys()).toEqual(before);
  });

  test('because its time is over is swept away, and takes nothing any more', async () => {
    const before = await api.storedKeys();
    const upload = await begin();
    await put(upload, 'config.json', config);
    const database = api.get(DataSource);
    await database.query(`update uploads set expires_at = now() - interval '1 second' where id = $1`, [upload]);
    expect(await problemOf(await put(upload, 'a.txt', text('a')))).toMatchObject({ code: 'upload_closed' });
    expect((await complete(upload)).body).toMatchObject({ code: 'upload_closed' });
    await api.get(UploadSweeper).sweep();
    expect(await api.storedKeys()).toEqual(before);
    expect((await api.client.get(`/v1/uploads/${upload}`)).status).toBe(404);
  });

  test('because its process was killed frees the store two days later', async () => {
    const staging = join(api.app.get<Config>(CONFIG).dataDirectory, 'staging');
    const left = await api.store.beginUpload('blobs/left');
    const stays = await api.store.beginUpload('blobs/stays');
    const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000);
    await utimes(join(staging, left), hoursAgo(49), hoursAgo(49));
    await utimes(join(staging, stays), hoursAgo(47), hoursAgo(47));
    await api.get(UploadSweeper).sweep();
    expect(await readdir(staging)).toContain(stays);
    expect(await readdir(staging)).not.toContain(left);
  });

  test('completed uploads are swept without their version', async () => {
    const reference = await api.client.push('team/kept', { 'config.json': config, 'model.safetensors': small });
    const before = await api.storedKeys();
    const database = api.get(DataSource);
    await database.query(`update uploads set expires_at = now() - interval '1 second' where state = 'completed'`);
    await api.get(UploadSweeper).sweep();
    expect(await api.storedKeys()).toEqual(before);
    expect(reference).toBe('team/kept@1');
    expect((await api.client.bytes('/v1/models/team/kept/versions/1/files/config.json')).equals(config)).toBe(true);
  });
});
