import { describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

// Types decide, so the text is judged in the place of a file that exists.
function reportsOf(code: string): string[] {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['node_modules/eslint/bin/eslint.js', '--stdin', '--stdin-filename', 'src/models/blobs.service.ts', '-f', 'json'],
    { cwd: root, input: code, encoding: 'utf8' },
  );
  if (stdout === '') throw new Error(stderr);
  const [file] = JSON.parse(stdout) as { messages: { ruleId: string; line: number }[] }[];
  return (file?.messages ?? [])
    .filter((message) => message.ruleId === 'amalgam/transaction-manager-only')
    .map((message) => (code.split('\n')[message.line - 1] ?? '').trim());
}

const code = `
import type { DataSource, EntityManager } from 'typeorm';

class Names {
  constructor(private readonly database: DataSource) {}

  async good(manager: EntityManager = this.database.manager): Promise<void> {
    await manager.query('select 1');
    await this.good(manager);
  }

  async transact(other: Names): Promise<unknown> {
    await this.database.query('select 1');
    return this.database.transaction(async (manager) => {
      await manager.query('select 1');
      await other.good(manager);
      await other.good();
      const later = () => this.database.query('select 2');
      return later;
    });
  }
}
`;

describe('the rule about transactions', () => {
  test('sees what goes around an open one, and nothing else', () => {
    expect(reportsOf(code)).toEqual(['await other.good();', "const later = () => this.database.query('select 2');"]);
  }, 60_000);
});
