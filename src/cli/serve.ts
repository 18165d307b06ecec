// Nest's decorators need it before the first of them runs.
import 'reflect-metadata';
import { serve as startService } from '../bootstrap.js';
import { loadConfigOrExit } from '../config.js';
import { DataDirectoryInUse } from '../platform/data-directory.js';
import { describeError } from './describe-error.js';
import { Failure } from './failure.js';

export interface ServeOptions {
  port?: number;
  host?: string;
  data?: string;
  samples: boolean;
}

/** `amalgam serve`: resolves when the service listens; it ends with SIGINT or SIGTERM. */
export async function serve({ port, host, data, samples }: ServeOptions): Promise<void> {
  const config = loadConfigOrExit({
    AMALGAM_ROLE: 'all',
    ...(port !== undefined && { AMALGAM_PORT: String(port) }),
    ...(host !== undefined && { AMALGAM_HOST: host }),
    ...(data !== undefined && { AMALGAM_DATA_DIR: data }),
    ...(!samples && { AMALGAM_SAMPLES: 'false' }),
  });
  try {
    const { url } = await startService(config);
    process.stderr.write(`Amalgam listens on ${url}; try it at ${url}/docs\n`);
  } catch (error) {
    process.stderr.write(`${describeError(asFailure(error, config.http.port))}\n`);
    // The database may be open already, and nothing else would close it.
    process.exit(1);
  }
}

function asFailure(error: unknown, port: number): unknown {
  if (error instanceof DataDirectoryInUse) return new Failure('data_directory_in_use', error.message);
  if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
    return new Failure('port_in_use', `port ${port} is in use; --port takes another, --port 0 a free one`);
  }
  return error;
}
