import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { z } from 'zod';

/** `serve` runs everything in one process; the other roles are for homes where several processes share one database. */
export const roles = ['all', 'api', 'worker', 'migrate', 'openapi'] as const;
export type Role = (typeof roles)[number];

const units = { '': 1, B: 1, KB: 1e3, MB: 1e6, GB: 1e9, KIB: 2 ** 10, MIB: 2 ** 20, GIB: 2 ** 30 };

const Bytes = z.string().transform((text, context) => {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)\s*([KMG]?i?B)?$/i.exec(text.trim()) ?? [];
  const factor = units[unit.toUpperCase() as keyof typeof units] as number | undefined;
  const bytes = digits === undefined || factor === undefined ? NaN : Math.round(Number(digits) * factor);
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  context.addIssue({ code: 'custom', message: 'must be a size such as 1000000000, 1GB or 512MiB' });
  return z.NEVER;
});

const ApiKeys = z.string().transform((text, context) => {
  const keys = text.split(',').map((entry) => {
    const [, name, sha256] = /^\s*([a-z0-9][a-z0-9._-]{0,63}):([0-9a-f]{64})\s*$/i.exec(entry) ?? [];
    return { name: name ?? '', sha256: (sha256 ?? '').toLowerCase() };
  });
  if (keys.some((key) => key.name === '')) {
    context.addIssue({
      code: 'custom',
      message: 'must be name:sha256 entries separated by commas (see amalgam keys new)',
    });
  }
  if (new Set(keys.map((key) => key.name)).size < keys.length) {
    context.addIssue({ code: 'custom', message: 'names a key twice' });
  }
  return keys;
});

const SecretKey = z
  .string()
  .regex(/^[0-9a-f]{64}$/i, 'must be 64 hexadecimal digits (openssl rand -hex 32)')
  .transform((text) => Buffer.from(text, 'hex'));

const SourcePrefix = z.string().regex(/^(?!\/)(?:[^\s\\?#]{1,400})?$/, 'must be a prefix such as released/models');

/** A bucket that models may be taken from. Its messages never show what was given, which has a secret. */
const S3SourceEntry = z
  .strictObject({
    bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be the name of a bucket'),
    prefix: SourcePrefix.default('').transform((prefix) => prefix.replace(/\/+$/, '')),
    url: z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' }),
    region: z.string().min(1).default('us-east-1'),
    accessKey: z.string().min(1).optional(),
    secretKey: z.string().min(1).optional(),
    namespaces: z
      .array(z.string().regex(/^(?:\*|[A-Za-z0-9][A-Za-z0-9._-]{0,95})$/, 'must be a namespace, or * for all'))
      .min(1, 'must name a namespace, or * for all'),
  })
  .refine(({ accessKey, secretKey }) => (accessKey === undefined) === (secretKey === undefined), {
    message: 'needs accessKey and secretKey, or neither of them',
  });

const S3Sources = z.string().transform((text, context): S3Source[] => {
  const parsed = z.array(S3SourceEntry).safeParse(jsonOf(text));
  if (!parsed.success) {
    for (const { path, message } of parsed.error.issues) {
      const [index, ...rest] = path;
      const place = index === undefined ? 'must be a JSON list of buckets' : `entry ${Number(index) + 1}`;
      const where = [place, ...rest.map(String)].join(', ');
      context.addIssue({ code: 'custom', message: index === undefined ? where : `${where}: ${message}` });
    }
    return z.NEVER;
  }
  const urls = new Map<string, string>();
  for (const { bucket, url } of parsed.data) {
    if ((urls.get(bucket) ?? url) !== url) {
      const message = `${bucket} is named at two addresses; a bucket's name must mean one`;
      context.addIssue({ code: 'custom', message });
    }
    urls.set(bucket, url);
  }
  return parsed.data;
});

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const identifier = z.string().regex(/^[a-z_][a-z0-9_]{0,62}$/, 'must be a lower-case SQL identifier');
const word = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'must be letters, digits, dots, dashes and underscores');
const count = (most: number) => z.coerce.number().int().min(1).max(most);

/** Every setting of the service. The descriptions are the reference that the documentation lists. */
export const Settings = z.object({
  AMALGAM_ROLE: z.enum(roles).default('all').describe('What this process does: all, api, worker, migrate or openapi.'),
  AMALGAM_DATA_DIR: z
    .string()
    .default('./data')
    .describe('Folder for the embedded database, local objects and caches.'),
  AMALGAM_HOST: z
    .string()
    .default('127.0.0.1')
    .describe('Address to listen on; another one than loopback needs API keys.'),
  AMALGAM_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65535)
    .default(8080)
    .describe('Port to listen on; 0 takes a free one.'),
  AMALGAM_API_KEYS: ApiKeys.optional().describe('name:sha256,... With one or more, every /v1 call needs a bearer key.'),
  AMALGAM_DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' })
    .optional()
    .describe('PostgreSQL 15 or newer; without it an embedded PostgreSQL lives in the data directory.'),
  AMALGAM_DATABASE_SCHEMA: identifier.default('public').describe('Schema of all tables; created when missing.'),
  AMALGAM_REDIS_URL: z
    .url({ protocol: /^rediss?$/, error: 'must be a redis:// or rediss:// URL' })
    .optional()
    .describe('Redis for the queue; without it the queue lives in the database.'),
  AMALGAM_QUEUE_PREFIX: word.default('amalgam').describe('Prefix of the queue, when several services share one Redis.'),
  AMALGAM_S3_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' })
    .optional()
    .describe('Endpoint of an S3 server for objects; without it they are files in the data directory.'),
  AMALGAM_S3_BUCKET: word.optional().describe('Bucket for objects; it must exist.'),
  AMALGAM_S3_ACCESS_KEY: z.string().optional().describe('Access key of the S3 server.'),
  AMALGAM_S3_SECRET_KEY: z.string().optional().describe('Secret key of the S3 server.'),
  AMALGAM_S3_REGION: z.string().default('us-east-1').describe('Region of the S3 server.'),
  AMALGAM_S3_PREFIX: z.string().default('').describe('Prefix of every object key, such as amalgam/.'),
  AMALGAM_S3_SOURCES: S3Sources.optional().describe(
    'Buckets of others that models may be imported from, as a JSON list; see docs/buckets.md.',
  ),
  AMALGAM_THREADS: count(256).optional().describe('Threads of one merge; by default the number of processors.'),
  AMALGAM_SHARD_BYTES: Bytes.default(1e9).describe('Size of one output shard: the unit of work and of restart.'),
  AMALGAM_CACHE_BYTES: Bytes.default(20e9).describe('Bound of the local copies of remote objects.'),
  AMALGAM_SAMPLES: z.stringbool().default(true).describe('Whether an empty service starts with the sample models.'),
  AMALGAM_HUB_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' })
    .default('https://huggingface.co')
    .describe('The Hugging Face Hub, or a mirror that speaks like it.'),
  AMALGAM_SECRET_KEY: SecretKey.optional().describe(
    'Encrypts what is secret in the database, such as tokens of the Hub: 64 hexadecimal digits. By default a file in ' +
      'the data directory; processes that share a database need it.',
  ),
  AMALGAM_LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('Least severe level that is written.'),
});

/** The same as plain values: what the rest of the service is given. */
export interface Config {
  role: Role;
  dataDirectory: string;
  http: { host: string; port: number };
  /** Empty: no authentication, loopback only. `sha256` is lower-case hex of the key. */
  apiKeys: readonly { name: string; sha256: string }[];
  database: { url: string | undefined; schema: string };
  queue: { redisUrl: string | undefined; prefix: string };
  s3: S3Config | undefined;
  /** Buckets of others that may be read; empty: none. */
  s3Sources: readonly S3Source[];
  threads: number;
  shardBytes: number;
  cacheBytes: number;
  samples: boolean;
  hubUrl: string;
  /** 32 bytes; undefined: one of this data directory's own. */
  secretKey: Buffer | undefined;
  logLevel: string;
}

export interface S3Config {
  url: string;
  bucket: string;
  accessKey: string;
  secretKey: string;
  region: string;
  prefix: string;
}

/** A bucket of somebody else from which models may be taken. */
export interface S3Source {
  bucket: string;
  /** Only objects in this folder; without a slash at either end, empty for all. */
  prefix: string;
  url: string;
  region: string;
  /** Without keys the bucket is read anonymously. */
  accessKey?: string | undefined;
  secretKey?: string | undefined;
  /** Whose models may come from it; `*` stands for everybody's. */
  namespaces: readonly string[];
}

/** Settings that cannot be used; each line is a sentence that names one. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Reads the settings of the service; an empty variable counts as absent.
 * @throws ConfigError whose message is one sentence a wrong setting.
 */
export function loadConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const present = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = Settings.safeParse(present);
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}.`).join('\n'));
  }
  const settings = parsed.data;
  const config: Config = {
    role: settings.AMALGAM_ROLE,
    dataDirectory: resolve(settings.AMALGAM_DATA_DIR),
    http: { host: settings.AMALGAM_HOST, port: settings.AMALGAM_PORT },
    apiKeys: settings.AMALGAM_API_KEYS ?? [],
    database: { url: settings.AMALGAM_DATABASE_URL, schema: settings.AMALGAM_DATABASE_SCHEMA },
    queue: { redisUrl: settings.AMALGAM_REDIS_URL, prefix: settings.AMALGAM_QUEUE_PREFIX },
    s3: s3Config(settings),
    s3Sources: settings.AMALGAM_S3_SOURCES ?? [],
    threads: settings.AMALGAM_THREADS ?? availableParallelism(),
    shardBytes: settings.AMALGAM_SHARD_BYTES,
    cacheBytes: settings.AMALGAM_CACHE_BYTES,
    samples: settings.AMALGAM_SAMPLES,
    hubUrl: settings.AMALGAM_HUB_URL.replace(/\/+$/, ''),
    secretKey: settings.AMALGAM_SECRET_KEY,
    logLevel: settings.AMALGAM_LOG_LEVEL,
  };
  refuseUnsafe(config);
  return config;
}

/**
 * As `loadConfig`, for a program: a wrong setting is written to stderr and ends the process with status 2.
 * @param overrides settings from the command line, which go before the environment's
 */
export function loadConfigOrExit(overrides: NodeJS.ProcessEnv = {}): Config {
  return orExit(() => loadConfig({ ...process.env, ...overrides }));
}

/** What a child process gets that is to run with the defaults, whatever this one is configured for. */
export function environmentWithoutSettings(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('AMALGAM_')));
}

function orExit<T>(load: () => T): T {
  try {
    return load();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}

const ClientSettings = z.object({
  AMALGAM_URL: z
    .url({ protocol: /^https?$/ })
    .default('http://127.0.0.1:8080')
    .describe('Service that the client calls.'),
  AMALGAM_KEY: z.string().optional().describe('API key that the client sends.'),
});

/** Settings of the command line as a client of a service. @param overrides as of `loadConfigOrExit` */
export function loadClientConfigOrExit(overrides: NodeJS.ProcessEnv = {}): { url: string; key: string | undefined } {
  return orExit(() => loadClientConfig({ ...process.env, ...overrides }));
}

/** The token of the Hub that the command line sends, under the name that the Hub's own programs use. */
export function loadHubToken(env: NodeJS.ProcessEnv = process.env): string | undefined {
  return env['HF_TOKEN'] || undefined;
}

/** @throws ConfigError */
function loadClientConfig(env: NodeJS.ProcessEnv): { url: string; key: string | undefined } {
  const parsed = ClientSettings.safeParse({
    AMALGAM_URL: env['AMALGAM_URL'] || undefined,
    AMALGAM_KEY: env['AMALGAM_KEY'] || undefined,
  });
  if (!parsed.success) throw new ConfigError('AMALGAM_URL: must be an http:// or https:// URL.');
  return { url: parsed.data.AMALGAM_URL, key: parsed.data.AMALGAM_KEY };
}

function s3Config(settings: z.infer<typeof Settings>): S3Config | undefined {
  const { AMALGAM_S3_URL: url, AMALGAM_S3_BUCKET: bucket } = settings;
  const { AMALGAM_S3_ACCESS_KEY: accessKey, AMALGAM_S3_SECRET_KEY: secretKey } = settings;
  if (url === undefined) return undefined;
  if (bucket === undefined || accessKey === undefined || secretKey === undefined) {
    throw new ConfigError(
      'AMALGAM_S3_URL: needs AMALGAM_S3_BUCKET, AMALGAM_S3_ACCESS_KEY and AMALGAM_S3_SECRET_KEY beside it.',
    );
  }
  return { url, bucket, accessKey, secretKey, region: settings.AMALGAM_S3_REGION, prefix: settings.AMALGAM_S3_PREFIX };
}

/** Two mistakes that would otherwise show late: an open service, and two processes on an embedded database. */
function refuseUnsafe(config: Config): void {
  const listens = config.role === 'all' || config.role === 'api';
  if (listens && config.apiKeys.length === 0 && !isLoopback(config.http.host)) {
    throw new ConfigError(
      `AMALGAM_HOST: ${config.http.host} can be reached by others, so AMALGAM_API_KEYS must name at least one key (amalgam keys new NAME).`,
    );
  }
  if ((config.role === 'api' || config.role === 'worker') && config.database.url === undefined) {
    throw new ConfigError(
      `AMALGAM_ROLE: ${config.role} needs AMALGAM_DATABASE_URL, since an embedded database serves one process.`,
    );
  }
}

/** Without keys the service answers whoever reaches it, so it must be reachable from this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}
