import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';

/** A secret as it may turn up: as it is, in URLs, in base64 wherever it begins, in hexadecimal digits. */
export function formsOf(secret: string): string[] {
  const encoded = [0, 1, 2].flatMap((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(secret), Buffer.alloc(3)]);
    // The digits at both ends depend on what is beside it.
    const end = -4 - ((before + secret.length) % 3 === 0 ? 0 : 2);
    return [bytes.toString('base64'), bytes.toString('base64url')].map((text) => text.slice(before === 0 ? 0 : 4, end));
  });
  return [...new Set([secret, encodeURIComponent(secret), Buffer.from(secret).toString('hex'), ...encoded])];
}

/** Every row of every table of a schema, as text. */
export async function rowsOf({ url, schema }: { url: string; schema: string }): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const tables = await client.query<{ name: string }>(
      `select quote_ident(table_schema) || '.' || quote_ident(table_name) as name from information_schema.tables
       where table_schema = $1 and table_type = 'BASE TABLE'`,
      [schema],
    );
    const texts: string[] = [];
    for (const { name } of tables.rows) {
      const { rows } = await client.query<{ text: string }>(`select t::text as text from ${name} t`);
      texts.push(name, ...rows.map(({ text }) => text));
    }
    return texts.join('\n');
  } finally {
    await client.end();
  }
}

/** Every file below a folder, as latin-1 text, by path. */
export async function filesBelow(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) found[path] = (await readFile(path)).toString('latin1');
  }
  return found;
}
