import { expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../config.js';
import { Sealer } from '../platform/sealing.js';
import { KeptTokens } from './kept-tokens.js';

const keptWith = (settings: Record<string, string>) => new KeptTokens(new Sealer(loadConfig(settings)));

test('a token opens for its holder alone', () => {
  const directory = mkdtempSync(join(tmpdir(), 'amalgam-kept-tokens-'));
  try {
    const kept = keptWith({ AMALGAM_DATA_DIR: directory });
    const sealed = kept.seal('namespace team', 'hf_secret');
    expect(sealed).not.toContain('hf_secret');
    expect(kept.open('namespace team', sealed)).toBe('hf_secret');
    expect(kept.find('namespace other', sealed)).toBeUndefined();
    expect(() => kept.open('namespace other', sealed)).toThrow(
      expect.objectContaining({ code: 'hub_token_missing', message: expect.not.stringContaining('hf_secret') }),
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('no token is nothing to keep, also without a key', () => {
  const kept = keptWith({ AMALGAM_DATABASE_URL: 'postgres://localhost/x' });
  expect(kept.seal('import 1', undefined)).toBeNull();
  expect(kept.open('import 1', null)).toBeUndefined();
});

test('without a key in common nothing secret is kept', () => {
  const kept = keptWith({ AMALGAM_DATABASE_URL: 'postgres://localhost/x' });
  expect(() => kept.seal('import 1', 'hf_secret')).toThrow(expect.objectContaining({ code: 'secrets_unavailable' }));
});
