import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type Api, putFile, startApi } from '../support/api.js';
import { tinyModelFiles } from '../support/tiny-model-files.js';
import { describeWithShared } from '../support/shared.js';

jest.setTimeout(120_000);

let api: Api;
/** Models are told apart by their weights, and all can be merged with each other. */
let made = 0;

beforeAll(async () => {
  api = await startApi();
}, 120_000);

afterAll(() => api.close());

interface Card {
  license?: string;
  license_name?: string;
  base_model?: string[];
}

function frontMatter({ base_model: bases = [], ...fields }: Card): string {
  const lines = Object.entries(fields).map(([key, value]) => `${key}: ${value}`);
  const list = bases.length === 0 ? [] : ['base_model:', ...bases.map((base) => `- ${base}`)];
  return `---\n${[...lines, ...list].join('\n')}\n---\n\n# A model\n`;
}

async function push(card: Card | undefined, files: Record<string, string> = {}): Promise<string> {
  made += 1;
  const texts = { ...(card && { 'README.md': frontMatter(card) }), ...files };
  const more = Object.fromEntries(Object.entries(texts).map(([path, text]) => [path, Buffer.from(text)]));
  return api.client.push(`licensed/m${made}`, { ...tinyModelFiles(made), ...more });
}

const pathOf = (reference: string): string => {
  const [, model, version] = /^(.+)@(\d+)$/.exec(reference) ?? [];
  return `/v1/models/${model ?? ''}/versions/${version ?? ''}`;
};
const licenceOf = async (reference: string, query = '') =>
  (await api.client.get(`${pathOf(reference)}/licence${query}`)).body;

function cardOf(licence: string, base: string | undefined): Card | undefined {
  if (licence === 'unknown') return base === undefined ? undefined : { base_model: [base] };
  const [id, name] = licence.split(':');
  const fields = name === undefined ? { license: licence } : { license: id ?? '', license_name: name };
  return { ...fields, ...(base !== undefined && { base_model: [base.split('@')[0] ?? ''] }) };
}

async function merge(models: readonly string[], output: string): Promise<string> {
  const recipe = { merge_method: 'linear', models: models.map((model) => ({ model, parameters: { weight: 0.5 } })) };
  const { status, body } = await api.client.post('/v1/merges', { recipe, output });
  expect({ status, body }).toMatchObject({ status: 202 });
  return String((await api.client.reach(String(body['id']), ['succeeded']))['version']);
}

describeWithShared('licences/licences.tsv', 'the table of licence verdicts, through the registry', (file) => {
  const rows = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t') as [string, string, string, string]);
  const pushed = new Map<string, Promise<string>>();

  /** Each generation is a version whose card names the one before. */
  async function pushPath(path: readonly string[], which: number): Promise<string> {
    const key = `${which} ${path.join('>')}`;
    const found = pushed.get(key);
    if (found) return found;
    const making = (async () => {
      const base = path.length > 1 ? await pushPath(path.slice(0, -1), which) : undefined;
      return push(cardOf(path.at(-1) ?? '', base));
    })();
    pushed.set(key, making);
    return making;
  }

  test.each(rows)('%s is %s', async (inputs, verdict, resultLicence, obligations) => {
    const models: string[] = [];
    const texts = inputs.split('+');
    for (const [at, path] of texts.entries()) {
      models.push(await pushPath(path.split('>'), texts.slice(0, at).filter((each) => each === path).length));
    }
    const recipe = { merge_method: 'linear', models: models.map((model) => ({ model, parameters: { weight: 1 } })) };
    const found =
      models.length === 1
        ? await licenceOf(models[0] ?? '')
        : (await api.client.post('/v1/plans', { recipe })).body['licence'];
    const { obligations: owed = [], ...rest } = found as { obligations?: string[] };
    expect({ ...rest, obligations: owed.join(',') || '-' }).toMatchObject({ verdict, resultLicence, obligations });
  });
});

describe('a lineage three generations deep', () => {
  let youngest: string;
  let card: string;

  beforeAll(async () => {
    const llama = await push({ license: 'llama3.1' }, { LICENSE: 'LLAMA 3.1 COMMUNITY LICENSE AGREEMENT\n...' });
    const labelled = await push({ license: 'apache-2.0', base_model: [llama.split('@')[0] ?? ''] });
    const first = await merge([labelled, await push({ license: 'mit' })], 'deep/first');
    const second = await merge([first, await push({ license: 'apache-2.0' })], 'deep/second');
    youngest = await merge([second, await push({ license: 'apache-2.0' })], 'deep/third');
    card = await api.client.text(`${pathOf(youngest)}/card`);
  });

  test('is judged by its oldest ancestor, with the path to it', async () => {
    const found = await licenceOf(youngest);
    expect(found).toMatchObject({
      version: 'deep/third@1',
      verdict: 'needs-approval',
      resultLicence: 'llama3.1',
      approval: null,
      mayPublish: false,
    });
    expect(found['obligations']).toEqual(expect.arrayContaining(['built-with-llama', 'relabel']));
    const [path] = found['paths'] as { name: string; licence: string | null }[][];
    expect(path?.map(({ licence }) => licence)).toEqual(['llama3.1', 'apache-2.0', null, null, null]);
    expect(path?.at(-1)?.name).toBe('deep/third@1');
  });

  test('has its licence in the list of versions and on its card', async () => {
    expect((await api.client.get(pathOf(youngest))).body['licence']).toBe('llama3.1');
    expect(card).toMatch(/^license: llama3\.1$/m);
    expect(card).toContain('**Built with Llama**');
    expect(card).toContain('Publishing it needs the approval of a person.');
  });

  test('is approved by name and reason, which its card shows while the stored file stays', async () => {
    const stored = await api.client.bytes(`${pathOf(youngest)}/files/README.md`);
    const path = `${pathOf(youngest)}/licence/approvals`;
    const reason = 'Both owners agreed | in writing <img src=x>';
    const { status, body } = await api.client.post(path, { reason }, { 'idempotency-key': 'once' });
    expect({ status, body }).toMatchObject({
      status: 201,
      body: { verdict: 'needs-approval', mayPublish: true, approval: { approvedBy: 'local', reason } },
    });
    expect(await api.client.post(path, { reason }, { 'idempotency-key': 'once' })).toMatchObject({ status: 201, body });
    expect(await licenceOf(youngest)).toEqual(body);

    const now = await api.client.text(`${pathOf(youngest)}/card`);
    expect(now).toMatch(
      /^---\n[^]*?\n---\n\n> \*\*Licence approved\*\* by `local` on \d{4}-\d\d-\d\d: Both owners agreed/,
    );
    expect(now).not.toContain('<img');
    expect(now.replace(/\n> .*\n\n/, '')).toBe(card);
    expect(await api.client.bytes(`${pathOf(youngest)}/files/README.md`)).toEqual(stored);
  });

  test('an approval is not inherited', async () => {
    const child = await merge([youngest, await push({ license: 'mit' })], 'deep/fourth');
    expect(await licenceOf(child)).toMatchObject({ verdict: 'needs-approval', approval: null, mayPublish: false });
  });
});

describe('what a version states', () => {
  test('a base that the registry has not is known by its name on the Hub, else unknown', async () => {
    const llama = await push({ license: 'apache-2.0', base_model: ['meta-llama/Meta-Llama-3-8B'] });
    expect(await licenceOf(llama)).toMatchObject({ verdict: 'needs-approval', resultLicence: 'llama3' });
    const secret = await push({ license: 'apache-2.0', base_model: ['/data/secret/base'] });
    expect(await licenceOf(secret)).toMatchObject({ verdict: 'needs-approval', resultLicence: '-' });
    expect(JSON.stringify(await licenceOf(secret))).not.toContain('/data');
  });

  test('a base that comes later is found; two cards that name each other have no known origin', async () => {
    const child = await push({ license: 'mit', base_model: ['later/base'] });
    expect(await licenceOf(child)).toMatchObject({ resultLicence: '-' });
    await api.client.push('later/base', {
      ...tinyModelFiles(900),
      'README.md': Buffer.from(frontMatter({ license: 'cc-by-nc-4.0', base_model: [child.split('@')[0] ?? ''] })),
    });
    expect(await licenceOf(child)).toMatchObject({ verdict: 'needs-approval', resultLicence: '-' });
    expect((await licenceOf(child))['obligations']).toEqual(expect.arrayContaining(['non-commercial', 'find-licence']));
  });

  test('a licence file counts where the card says none, and against the card where it says another', async () => {
    const agreement = 'GEMMA TERMS OF USE\n\nGemma Terms of Use, last modified: ...';
    expect(await licenceOf(await push(undefined, { 'LICENSE.txt': agreement }))).toMatchObject({
      resultLicence: 'gemma',
    });
    const relabelled = await push({ license: 'mit' }, { LICENSE: agreement });
    expect(await licenceOf(relabelled)).toMatchObject({ verdict: 'needs-approval', resultLicence: 'gemma' });
  });

  test('who completes an upload may say it, but takes nothing away', async () => {
    const complete = async (card: Card | undefined, licence: unknown) => {
      made += 1;
      const name = `licensed/m${made}`;
      await api.client.post('/v1/models', { namespace: 'licensed', name: `m${made}` });
      const upload = await api.client.post(`/v1/models/${name}/uploads`);
      const files = { ...tinyModelFiles(made), ...(card && { 'README.md': Buffer.from(frontMatter(card)) }) };
      for (const [path, bytes] of Object.entries(files)) {
        await putFile(api.url, String(upload.body['id']), path, bytes);
      }
      return api.client.post(`/v1/uploads/${String(upload.body['id'])}/complete`, { licence });
    };
    const said = await complete(undefined, 'other:Qwen Research');
    expect(said).toMatchObject({ status: 201, body: { licence: 'other:qwen-research' } });
    expect(await licenceOf(String(said.body['reference']))).toMatchObject({
      verdict: 'needs-approval',
      resultLicence: 'other',
    });
    const dropped = await complete({ license: 'cc-by-nc-4.0' }, 'mit');
    expect(await licenceOf(String(dropped.body['reference']))).toMatchObject({ resultLicence: 'cc-by-nc-4.0' });
    expect(await complete(undefined, 'not a licence!')).toMatchObject({
      ...{ status: 400, body: { code: 'invalid_request', errors: [{ pointer: '/licence' }] } },
    });
  });
});

describe('refusals', () => {
  test('what is forbidden, and what needs none, cannot be approved', async () => {
    const approve = (reference: string, body: unknown = { reason: 'It is fine.' }) =>
      api.client.post(`${pathOf(reference)}/licence/approvals`, body);
    const forbidden = await push({ license: 'cc-by-nd-4.0' });
    expect(await approve(forbidden)).toMatchObject({ status: 409, body: { code: 'approval_not_possible' } });
    const free = await push({ license: 'mit' });
    expect(await approve(free)).toMatchObject({ status: 409, body: { code: 'approval_not_needed' } });
    expect(await approve('nobody/nothing@1')).toMatchObject({ status: 404, body: { code: 'model_not_found' } });
    for (const body of [{}, { reason: '' }, { reason: ' ' }, { reason: 'a\u0000b' }, { reason: 'x', more: 1 }, []]) {
      expect(await approve(free, body)).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    }
  });

  test('a commercial profile denies what is non-commercial', async () => {
    const version = await push({ license: 'cc-by-nc-4.0' });
    expect(await licenceOf(version)).toMatchObject({ verdict: 'allow-with-obligations', mayPublish: true });
    expect(await licenceOf(version, '?commercial=true')).toMatchObject({ verdict: 'deny', mayPublish: false });
    expect(await api.client.get(`${pathOf(version)}/licence?commercial=perhaps`)).toMatchObject({ status: 400 });
  });
});
