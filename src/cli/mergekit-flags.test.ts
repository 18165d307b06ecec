import { describe, expect, it } from '@jest/globals';
import { Command } from 'commander';
import { addMergekitFlags, ignoredFlags, type MergekitFlagUse, refusedFlags } from './mergekit-flags.js';

/** Every option of mergekit-yaml 0.1.5 that is not one of `amalgam merge`, by its name in --help. */
const mergekit = [
  ['--cuda', '--no-cuda'],
  ['--low-cpu-memory', '--no-low-cpu-memory'],
  ['--lazy-unpickle', '--no-lazy-unpickle'],
  ['--clone-tensors', '--no-clone-tensors'],
  ['--trust-remote-code', '--no-trust-remote-code'],
  ['--read-to-gpu', '--no-read-to-gpu'],
  ['--multi-gpu', '--no-multi-gpu'],
  ['--async-write', '--no-async-write'],
  ['--device', '--gpu-rich', '--write-threads'],
  ['--transformers-cache', '--lora-merge-cache', '--lora-merge-dtype'],
  ['--safe-serialization', '--no-safe-serialization'],
  ['--allow-crimes', '--no-allow-crimes'],
  ['--unsafe-truncate-embeddings', '--no-unsafe-truncate-embeddings'],
].flat();

function parse(...argv: string[]): MergekitFlagUse {
  const command = new Command().exitOverride().argument('[rest...]');
  const use = addMergekitFlags(command);
  command.parse(argv, { from: 'user' });
  return use;
}

describe('flags of mergekit-yaml', () => {
  it('are all known', () => {
    const known = [...ignoredFlags, ...refusedFlags].map(({ flags }) => flags.split(' ')[0]);
    expect([...known].sort()).toEqual([...mergekit].sort());
  });

  it.each(ignoredFlags)('$flags is taken with one warning', ({ flags, reason }) => {
    const [name = '', value] = flags.split(' ');
    const given = value === undefined ? [name] : [name, 'x'];
    expect(parse(...given, ...given)).toEqual({ warnings: [`${name} has no effect: ${reason}`], refusals: [] });
  });

  it.each(refusedFlags)('$flags is refused', ({ flags, reason }) => {
    expect(parse(flags)).toEqual({ warnings: [], refusals: [`${flags} is refused: ${reason}`] });
  });
});
