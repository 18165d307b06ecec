import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DataSource } from 'typeorm';
import { Effects } from '../../src/http/effects.js';
import { IdempotencyService } from '../../src/http/idempotency.service.js';
import { ModelsService } from '../../src/models/models.service.js';
import { type Api, startApi } from '../support/api.js';

let api: Api;

beforeAll(async () => {
  api = await startApi();
}, 120_000);

afterAll(() => api.close());

let number = 0;
const model = () => ({ namespace: 'team', name: `model-${(number += 1)}` });
const create = (body: object, key: string) => api.client.post('/v1/models', body, { 'idempotency-key': key });
const claimed = (key: string) =>
  api.get(DataSource).query<{ status: number | null }[]>('select status from idempotency_keys where key = $1', [key]);

describe('a POST with an Idempotency-Key', () => {
  test('is carried out once and answered alike', async () => {
    const body = model();
    const first = await create(body, 'replayed');
    const second = await create(body, '"replayed"');
    expect(first.status).toBe(201);
    expect(first.headers.get('idempotent-replayed')).toBeNull();
    expect(second).toMatchObject({ status: 201, body: first.body });
    expect(second.headers.get('location')).toBe(first.headers.get('location'));
    expect(second.headers.get('idempotent-replayed')).toBe('true');
  });

  test('with another body or another path is a mistake', async () => {
    const body = model();
    await create(body, 'reused');
    expect(await create(model(), 'reused')).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    await api.client.post('/v1/models', body);
    const other = model();
    await api.client.post('/v1/models', other);
    const begin = (name: string) =>
      api.client.post(`/v1/models/team/${name}/uploads`, {}, { 'idempotency-key': 'path' });
    expect((await begin(body.name)).status).toBe(201);
    expect(await begin(other.name)).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
  });

  test('belongs to its route: another one may use the same key', async () => {
    const body = model();
    await create(body, 'shared');
    const upload = await api.client.post(`/v1/models/team/${body.name}/uploads`, {}, { 'idempotency-key': 'shared' });
    expect(upload.status).toBe(201);
  });

  test('of many at once, one is carried out; the others wait or see its answer', async () => {
    const body = model();
    const answers = await Promise.all(Array.from({ length: 8 }, () => create(body, 'concurrent')));
    const fresh = answers.filter(({ status, headers }) => status === 201 && !headers.has('idempotent-replayed'));
    expect(fresh.length).toBe(1);
    for (const { status, body: answer } of answers) {
      if (status !== 201)
        expect({ status, code: answer['code'] }).toEqual({ status: 409, code: 'idempotency_in_flight' });
    }
    expect((await create(body, 'concurrent')).headers.get('idempotent-replayed')).toBe('true');
  });

  test('that computes only is answered alike too', async () => {
    const recipe = { merge_method: 'linear', models: [{ model: 'a/b', parameters: { weight: 1 } }] };
    const validate = () => api.client.post('/v1/recipes/validate', { recipe }, { 'idempotency-key': 'pure' });
    const first = await validate();
    expect(first.status).toBe(200);
    const second = await validate();
    expect(second.body).toEqual(first.body);
    expect(second.headers.get('idempotent-replayed')).toBe('true');
  });

  test('that was refused may be tried again', async () => {
    const body = model();
    const path = `/v1/models/team/${body.name}/uploads`;
    expect((await api.client.post(path, {}, { 'idempotency-key': 'refused' })).status).toBe(404);
    await api.client.post('/v1/models', body);
    expect((await api.client.post(path, {}, { 'idempotency-key': 'refused' })).status).toBe(201);
  });

  test.each(['', ' ', 'x'.repeat(256), 'with space', '""'])('refuses the key %j', async (key) => {
    const { status, body } = await create(model(), key);
    expect({ status, code: body['code'] }).toEqual({ status: 400, code: 'idempotency_key_invalid' });
  });
});

describe('the row of a key', () => {
  const request = { principal: 'local', route: 'POST /v1/models', fingerprint: 'f'.repeat(64) };

  test('commits with the effect or not at all', async () => {
    const service = api.get(IdempotencyService);
    const claim = await service.claim({ ...request, key: 'rolled-back' });
    if (!('token' in claim)) throw new Error('the key was not free');
    const name = model();
    const failing = api.get(DataSource).transaction(async (manager) => {
      await api.get(ModelsService).ensure(manager, name);
      await service.answer(manager, claim, { status: 201, headers: {}, body: {} });
      throw new Error('after the answer');
    });
    await expect(failing).rejects.toThrow('after the answer');
    expect(await claimed('rolled-back')).toEqual([{ status: null }]);
    expect((await api.client.get(`/v1/models/team/${name.name}`)).status).toBe(404);
  });

  test('that another attempt took over rolls the slower effect back', async () => {
    const service = api.get(IdempotencyService);
    const database = api.get(DataSource);
    const slow = await service.claim({ ...request, key: 'taken-over' });
    await database.query(
      `update idempotency_keys set claimed_until = now() - interval '1 second' where key = 'taken-over'`,
    );
    const fast = await service.claim({ ...request, key: 'taken-over' });
    if (!('token' in slow) || !('token' in fast)) throw new Error('both attempts should hold a claim');
    const name = model();
    const effect = database.transaction(async (manager) => {
      await api.get(ModelsService).ensure(manager, name);
      await service.answer(manager, slow, { status: 201, headers: {}, body: {} });
    });
    await expect(effect).rejects.toMatchObject({ code: 'idempotency_in_flight' });
    expect((await api.client.get(`/v1/models/team/${name.name}`)).status).toBe(404);
    await service.release(slow);
    expect(await claimed('taken-over')).toEqual([{ status: null }]);
    await service.release(fast);
    expect(await claimed('taken-over')).toEqual([]);
  });

  test('of a POST that broke on our side is given back', async () => {
    const broken = api.get(Effects).of;
    const effects = api.get(Effects);
    effects.of = () => () => Promise.reject(new Error('broken'));
    const body = model();
    try {
      expect((await create(body, 'broken')).status).toBe(500);
    } finally {
      effects.of = broken;
    }
    expect(await claimed('broken')).toEqual([]);
    expect((await create(body, 'broken')).status).toBe(201);
  });

  test('is forgotten after a day', async () => {
    const body = model();
    await create(body, 'old');
    await api
      .get(DataSource)
      .query(`update idempotency_keys set created_at = now() - interval '25 hours' where key = 'old'`);
    expect(await create(model(), 'old')).toMatchObject({ status: 201 });
  });
});
