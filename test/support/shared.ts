import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** Data that several projects share lies beside the checkout; a test that needs it is skipped by name where it is absent. */
export function sharedPath(part: string): string | undefined {
  const path = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../../../shared', part);
  return existsSync(path) ? path : undefined;
}
