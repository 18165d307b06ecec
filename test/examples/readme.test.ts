import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ServiceProcess, startService } from '../support/service-process.js';

const root = resolve(import.meta.dirname, '../..');
const walkBegins = 'The rest goes into a second terminal';
const walkEnds = '## How it is built';

/** What a reader types: the shell blocks of the walk through the API and the command line, as one script. */
function walkOf(page: string, url: string): string {
  const walk = page.slice(page.indexOf(walkBegins), page.indexOf(walkEnds));
  const blocks = [...walk.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => block);
  // A refusal must end the script, which curl alone would print and take for an answer.
  const strict = 'set -euo pipefail\ncurl() { command curl --fail-with-body "$@"; }\n';
  return strict + blocks.join('\n').replaceAll('http://127.0.0.1:8080', url);
}

const missing = ['bash', 'curl', 'jq', 'sha256sum'].filter((program) => spawnSync(program, ['--version']).error);
const describeWithPrograms = missing.length === 0 ? describe : describe.skip;
const needs = missing.length === 0 ? '' : ` (needs ${missing.join(', ')})`;

describeWithPrograms(`the README${needs}`, () => {
  let folder: string;
  let service: ServiceProcess;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'amalgam-readme-'));
    for (const name of ['dist', 'samples']) symlinkSync(join(root, name), join(folder, name));
    service = await startService({ AMALGAM_DATA_DIR: join(folder, 'data'), AMALGAM_SAMPLES: 'true' });
  }, 60_000);

  afterAll(async () => {
    service.kill('SIGTERM');
    await service.exited;
    rmSync(folder, { recursive: true, force: true });
  });

  test('its walk through the API and the command line works on a fresh service, word for word', async () => {
    const script = walkOf(readFileSync(join(root, 'README.md'), 'utf8'), service.url);
    const child = spawn('bash', ['-c', script], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const [status] = (await once(child, 'close')) as [number | null];

    expect(`${output}\nstatus ${status}`).toMatch(/status 0$/);
    expect(output).toContain('"version": "team/both@1"');
    expect(output).toContain('"deduplicated": true');
    expect(output).toContain('v0["samples/base@1"]');
    expect(output).toContain('model.safetensors: OK');
    expect(output).toContain('team/half@1 is in pulled');
  }, 120_000);
});
