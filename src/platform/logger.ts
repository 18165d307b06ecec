import type { LoggerService } from '@nestjs/common';
import { pino, type DestinationStream, type Logger } from 'pino';

export type { Logger } from 'pino';

/** Members whose value is a secret wherever they are nested. */
const secretMember =
  /"((?:[^"\\]*[-_])?(?:authorization|cookie|password|secret|token|api-?key|access-?key|secret-?key)|[a-z]+(?:Token|Secret|Password|ApiKey|AccessKey|SecretKey))":\s*"(?:[^"\\]|\\.)*"/gi;
const bearer = /(Bearer\s+)[A-Za-z0-9._~+/=-]+/gi;
const urlPassword = /(:\/\/[^\s:@/"]*:)[^\s@/"]+@/g;
const signature = /([?&](?:X-Amz-Signature|X-Amz-Credential|token|key)=)[^&\s"]+/gi;

/**
 * Takes secrets out of a finished line. Working on the text catches them at any depth and inside messages and stack
 * traces of libraries, where a list of paths would not.
 */
export function redact(line: string): string {
  return line
    .replace(secretMember, '"$1":"[redacted]"')
    .replace(bearer, '$1[redacted]')
    .replace(urlPassword, '$1[redacted]@')
    .replace(signature, '$1[redacted]');
}

/** JSON lines on stdout. @param level least severe level that is written */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    hooks: { streamWrite: redact },
  };
  return destination ? pino(options, destination) : pino(options);
}

/** Nest's own messages through the same logger; the last argument of a call is Nest's context. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.write('info', message, rest);
  }
  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }
  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }
  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }
  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }
  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  private write(
    level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal',
    message: unknown,
    rest: unknown[],
  ): void {
    const context = rest.at(-1);
    const stack = rest.length > 1 ? rest[0] : undefined;
    const fields = {
      ...(typeof context === 'string' ? { context } : {}),
      ...(typeof stack === 'string' ? { stack } : {}),
      ...(message instanceof Error ? { err: message } : {}),
    };
    this.logger[level](fields, message instanceof Error ? message.message : describe(message));
  }
}

function describe(message: unknown): string {
  return typeof message === 'string' ? message : JSON.stringify(message);
}
