import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { describeWith, environment } from '../support/environment.js';
import { type FakeHub, startFakeHub } from '../support/fake-hub.js';
import { type ServiceProcess, startService } from '../support/service-process.js';
import { describeWithShared } from '../support/shared.js';

jest.setTimeout(400_000);

const path = fileURLToPath(new URL('../../openapi/openapi.json', import.meta.url));

const document = JSON.parse(readFileSync(path, 'utf8')) as { paths: Record<string, object> };
const operations = Object.values(document.paths).flatMap(Object.keys).length;

/** What the document promises of every answer, whatever the question. */
const checks = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'unsupported_method',
  'allow_header_conformance',
];

describeWithShared('fakehub', 'every operation of the OpenAPI document, asked by schemathesis', (folder) => {
  describeWith(['python'], 'of a service with the sample models', () => {
    let hub: FakeHub;
    let service: ServiceProcess;
    let directory: string;

    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'amalgam-conformance-'));
      hub = await startFakeHub(folder);
      const settings = { AMALGAM_DATA_DIR: directory, AMALGAM_SAMPLES: 'true', AMALGAM_HUB_URL: hub.url };
      service = await startService(settings);
    }, 120_000);
    afterAll(async () => {
      service.kill('SIGTERM');
      await service.exited;
      await hub.stop();
      await rm(directory, { recursive: true });
    }, 60_000);

    test('answers as the document says', async () => {
      const argv = ['-m', 'schemathesis.cli', 'run', path, '--url', service.url, '--checks', checks.join()];
      const how = ['--phases', 'examples,coverage,fuzzing', '--max-examples', '8', '--seed', '1', '--no-color'];
      const bounds = ['--request-timeout', '60', '--continue-on-failure', '--suppress-health-check', 'all'];
      const child = spawn(environment('python'), [...argv, ...how, ...bounds], { cwd: directory });
      let said = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += String(chunk)));
      const [status] = (await once(child, 'close')) as [number | null];
      if (status !== 0) throw new Error(said.slice(-8_000));
      expect(said).toContain(`Tested: ${operations}`);
      expect(service.log()).not.toContain('"level":"error"');
    });
  });
});
