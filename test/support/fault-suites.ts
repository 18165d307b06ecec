import { afterAll, beforeAll, test } from '@jest/globals';
import { type FaultyHome, startFaultyHome } from './fault-runs.js';
import { fillForImports, importUnderFaults } from './import-faults.js';
import { publishUnderFaults } from './publishing-faults.js';
import { Random } from './random.js';
import { pushSamples } from './sample-models.js';

/** Imports under faults drawn by chance. @param seed of the first run */
export function itImportsUnderFaults(folder: string, runs: number, seed: number): void {
  itSurvives(folder, `${runs} imports under faults by chance end with a whole version or with none`, async (home) => {
    await fillForImports(home.hub);
    for (let run = 1; run <= runs; run += 1) await importUnderFaults(home, new Random(seed + run), run);
  });
}

/** Publications under faults drawn by chance. @param seed of the first run */
export function itPublishesUnderFaults(folder: string, runs: number, seed: number): void {
  itSurvives(folder, `${runs} publications under faults by chance arrive whole, in one commit each`, async (home) => {
    await pushSamples(home.client, ['base', 'sort']);
    for (let run = 1; run <= runs; run += 1) await publishUnderFaults(home, new Random(seed + run), run);
  });
}

function itSurvives(folder: string, what: string, work: (home: FaultyHome) => Promise<void>): void {
  let home: FaultyHome;
  beforeAll(async () => {
    home = await startFaultyHome(folder);
  }, 120_000);
  afterAll(() => home.stop(), 60_000);

  test(what, () => work(home));
}
