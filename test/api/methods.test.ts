import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { markdownText } from '../../src/cards/markdown.js';
import { methods, type MethodName } from '../../src/recipe/index.js';
import { coefficientsFile, damCoefficients } from '../support/coefficients.js';
import { HttpClient } from '../support/http-client.js';
import { executableMethods } from '../support/recipes.js';
import { pushSamples } from '../support/sample-models.js';
import { readModel } from '../support/safetensors.js';
import { type ServiceProcess, startService } from '../support/service-process.js';

const samples = fileURLToPath(new URL('../../samples', import.meta.url));

// Long enough for a machine that is busy with other things; nothing here waits for time to pass.
jest.setTimeout(120_000);

const [base, reverse, sort] = ['samples/base', 'samples/reverse', 'samples/sort'];
const coefficients = 'team/coefficients';
type Settings = Record<string, number | boolean>;

/** Parameters of the method as a whole, and of each model. */
const settings: Partial<Record<MethodName, { global?: Settings; own?: Settings }>> = {
  linear: { own: { weight: 0.5 } },
  slerp: { global: { t: 0.4 } },
  nuslerp: { own: { weight: 0.6 } },
  multislerp: { own: { weight: 0.7 } },
  karcher: { global: { max_iter: 5 } },
  task_arithmetic: { own: { weight: 0.4 }, global: { lambda: 0.9 } },
  ties: { own: { weight: 0.7, density: 0.6 } },
  dare_linear: { own: { weight: 0.5, density: 0.7 } },
  dare_ties: { own: { weight: 0.5, density: 0.7 } },
  breadcrumbs: { own: { weight: 0.5, density: 0.8, gamma: 0.02 } },
  breadcrumbs_ties: { own: { weight: 0.5, density: 0.8, gamma: 0.02 } },
  della_linear: { own: { weight: 0.5, density: 0.6, epsilon: 0.1 } },
  della: { own: { weight: 0.5, density: 0.6, epsilon: 0.1 } },
  model_stock: { global: { filter_wise: true } },
  nearswap: { global: { t: 0.01 } },
  sce: { global: { select_topk: 0.5 } },
  ram: { global: { epsilon: 0.0001 } },
  ramplus_tl: { global: { r: 0.3 } },
  passthrough: { own: { scale: 0.9 } },
  magmax: { global: { lambda: 0.5 } },
  expo: { global: { alpha: 0.3 } },
  lines: { global: { alpha: 0.2, beta: 0.7 } },
};

function recipeOf(method: MethodName): Record<string, unknown> {
  const { base: policy, maxModels = 2 } = methods[method];
  const { global, own } = settings[method] ?? {};
  return {
    merge_method: method,
    ...(policy === 'required' && { base_model: base }),
    models: [reverse, sort].slice(0, maxModels).map((model) => ({ model, ...(own && { parameters: own }) })),
    ...(global && { parameters: global }),
    ...(method === 'dam' && { coefficients }),
  };
}

describe('a merge through the API', () => {
  let service: ServiceProcess;
  let client: HttpClient;
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'amalgam-methods-'));
    service = await startService({ AMALGAM_DATA_DIR: directory });
    client = new HttpClient(service.url);
    await pushSamples(client);
    const tensors = damCoefficients({ tensors: readModel(`${samples}/base`) }, ['reverse', 'sort']);
    const file = coefficientsFile(tensors, { models: ['reverse', 'sort'] });
    await client.push(coefficients, { 'model.safetensors': file });
  });
  afterAll(async () => {
    service.kill('SIGTERM');
    await service.exited;
    await rm(directory, { recursive: true, force: true });
  });

  test.each(executableMethods)('by %s: its card shows method, paper, parameters, seed and report', async (method) => {
    const seed = 1000 + executableMethods.indexOf(method);
    const recipe = recipeOf(method);
    const output = `methods/${method.replaceAll('_', '-')}`;
    const { status, body } = await client.post('/v1/merges', { recipe, output, seed });
    expect({ status, body }).toMatchObject({ status: 202 });
    const events = await client.events(String(body['id']));
    expect(events.at(-1)?.type).toBe('succeeded');
    const card = await client.text(`/v1/models/${output}/versions/1/card`);
    const { title, paper } = methods[method];
    expect(card).toContain(`**${markdownText(title)}.**`);
    expect(card).toContain(`merge_method: ${method}\n`);
    if (paper !== undefined) expect(card).toContain(`Described in [${paper.title}](${paper.url}).`);
    const { global = {}, own = {} } = settings[method] ?? {};
    for (const [name, value] of Object.entries({ ...global, ...own })) {
      expect(card).toMatch(new RegExp(`^ +${name}: ${value}$`, 'm'));
    }
    expect(card).toMatch(new RegExp(`^\\| Seed +\\| ${seed} +\\|$`, 'm'));
    expect(card).toContain('## What the merge did');
    const report = await client.get(`/v1/models/${output}/versions/1/files/merge_report.json`);
    expect(report.body).toMatchObject({ report: 'sampled' });
  });
});
