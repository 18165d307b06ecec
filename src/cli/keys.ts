import { newApiKey } from '../auth/api-keys.js';
import { Failure } from './failure.js';

/** `amalgam keys new NAME`: the key is shown once, the service only ever gets its digest. @throws Failure */
export function newKey(name: string, options: { json?: boolean }): void {
  const { key, line } = create(name);
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ name, key, entry: line }, null, 2)}\n`);
    return;
  }
  process.stdout.write(
    `Key of ${name}, shown only now:\n\n  ${key}\n\n` +
      'Configure the service with (further keys follow after a comma), and restart it:\n\n' +
      `  AMALGAM_API_KEYS=${line}\n\n` +
      'Clients send it as `Authorization: Bearer KEY`; this program takes it from AMALGAM_KEY or --key.\n',
  );
}

function create(name: string): { key: string; line: string } {
  try {
    return newApiKey(name);
  } catch (error) {
    if (error instanceof RangeError) throw new Failure('key_name_invalid', error.message);
    throw error;
  }
}
