import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, it } from '@jest/globals';

/** Data that several projects share lies beside the checkout; a test that needs it is skipped by name where it is absent. */
export function sharedPath(part: string): string | undefined {
  const path = resolve(import.meta.dirname, '../../../shared', part);
  return existsSync(path) ? path : undefined;
}

/** As `describe`, with the path of shared data; skipped by name where that is absent. */
export function describeWithShared(part: string, name: string, body: (path: string) => void): void {
  const path = sharedPath(part);
  if (path !== undefined) {
    describe(name, () => {
      body(path);
    });
    return;
  }
  // Jest wants at least one test in a suite, and the body may read the data while it lists its tests.
  describe.skip(`${name} (needs ../shared/${part})`, () => {
    it('is skipped', () => undefined);
  });
}
