import { expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../config.js';
import { Sealer, SealingUnavailable } from './sealing.js';

test('what is sealed opens in its place, after a restart too, and nowhere else', () => {
  const directory = mkdtempSync(join(tmpdir(), 'amalgam-sealing-'));
  try {
    const config = loadConfig({ AMALGAM_DATA_DIR: directory });
    const sealed = new Sealer(config).seal('hf_secret', 'publication 1');
    expect(sealed).not.toContain('hf_secret');
    expect(new Sealer(config).open(sealed, 'publication 1')).toBe('hf_secret');
    expect(new Sealer(config).open(sealed, 'publication 2')).toBeUndefined();
    const other = loadConfig({ AMALGAM_DATA_DIR: directory, AMALGAM_SECRET_KEY: 'ab'.repeat(32) });
    expect(new Sealer(other).open(sealed, 'publication 1')).toBeUndefined();
    expect(statSync(join(directory, 'secret.key')).mode & 0o077).toBe(0);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('processes that share a database need a key in common', () => {
  const shared = loadConfig({ AMALGAM_DATABASE_URL: 'postgres://localhost/x' });
  expect(() => new Sealer(shared).seal('hf_secret', 'here')).toThrow(SealingUnavailable);
});
