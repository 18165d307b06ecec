import type { DataSource } from 'typeorm';

/** Every row of every table as text, of the queue's own too: what somebody with a copy of the database can read. */
export async function dumpDatabase(database: DataSource): Promise<string> {
  const tables = await database.query<{ name: string }[]>(
    `select quote_ident(table_schema) || '.' || quote_ident(table_name) as name from information_schema.tables
     where table_schema not in ('pg_catalog', 'information_schema')`,
  );
  const texts: string[] = [];
  for (const { name } of tables) {
    texts.push(JSON.stringify(await database.query(`select t::text from ${name} t`)));
  }
  return texts.join('\n');
}
