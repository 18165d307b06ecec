import { readdirSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { HttpClient } from './http-client.js';

const folder = fileURLToPath(new URL('../../samples', import.meta.url));

/** Pushes the committed sample models as `samples/base`, `samples/reverse`, ... */
export async function pushSamples(client: HttpClient, names = ['base', 'reverse', 'sort', 'light']): Promise<void> {
  for (const name of names) await client.push(`samples/${name}`, readSample(name));
}

export function readSample(name: string): Record<string, Uint8Array> {
  const files = readdirSync(`${folder}/${name}`).filter((file) => statSync(`${folder}/${name}/${file}`).isFile());
  return Object.fromEntries(files.map((file) => [file, readFileSync(`${folder}/${name}/${file}`)]));
}
