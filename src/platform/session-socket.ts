import { Duplex } from 'node:stream';
import type { PgliteSession, SessionClient } from './pglite-session.js';
import * as wire from './postgres-wire.js';

let lastProcessId = 0;

/**
 * What `pg` takes for its network socket, and is a place in PGlite's session. Everything else (parameters, parsers,
 * pooling, errors) is `pg` itself, so both homes behave alike.
 */
export class SessionSocket extends Duplex implements SessionClient {
  searchPath = 'public';
  readonly channels = new Set<string>();
  #started = false;
  #unread: Buffer = Buffer.alloc(0);
  #group: wire.WireMessage[] = [];

  constructor(private readonly session: PgliteSession) {
    super({ allowHalfOpen: false });
  }

  connect(): this {
    this.session.join(this);
    process.nextTick(() => this.emit('connect'));
    return this;
  }

  /** Socket settings that mean nothing inside one process; BullMQ takes a successful call for a supervised link. */
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }

  override _read(): void {
    // Answers are pushed when they exist.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const { messages, rest } = wire.takeMessages(Buffer.concat([this.#unread, chunk]), this.#started);
    this.#unread = rest;
    for (const message of messages) this.#accept(message);
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.session.leave(this);
    done(error);
  }

  #accept(message: wire.WireMessage): void {
    if (message.type === '') {
      this.#started = true;
      this.searchPath = searchPathOf(wire.startupParameters(message.bytes).get('options')) ?? this.searchPath;
      this.push(wire.greeting((lastProcessId += 1)));
    } else if (message.type === 'X') {
      this.push(null);
    } else {
      this.#group.push(message);
      if (message.type === 'Q' || message.type === 'S') this.#submit();
    }
  }

  #submit(): void {
    const group = this.#group;
    this.#group = [];
    const statements = group.flatMap((message) => wire.statementOf(message) ?? []);
    const refused = statements.map(refusalOf).find((sentence) => sentence !== undefined);
    if (refused !== undefined) {
      this.push(Buffer.concat([wire.errorResponse('0A000', refused), wire.readyForQuery('I')]));
      return;
    }
    for (const { text } of statements) {
      const channel = /^LISTEN\s+"?([^\s";]+)/i.exec(withoutComments(text))?.[1];
      if (channel !== undefined) this.channels.add(channel);
    }
    const bytes = Buffer.concat(group.map((message) => message.bytes));
    this.session.run(this, bytes, statements.map(({ text }) => text).join('; '));
  }
}

/** What belongs to a connection cannot be had where all connections are one; it would leak into the others' work. */
function refusalOf({ text, name }: { text: string; name: string }): string | undefined {
  const statement = withoutComments(text);
  if (name !== '') return 'Named statements are not supported by the embedded database: one session serves all.';
  if (/^SET\s+(?!LOCAL\b|TRANSACTION\b|CONSTRAINTS\b)/i.test(statement)) {
    return 'SET is not supported by the embedded database outside a transaction (use SET LOCAL): one session serves all.';
  }
  if (/\bpg_(try_)?advisory_(un)?lock/i.test(statement)) {
    return 'Session advisory locks are not supported by the embedded database: one session serves all.';
  }
  if (/^(UNLISTEN|COPY|PREPARE|DISCARD)\b/i.test(statement)) {
    return `${statement.slice(0, 8).trim()} is not supported by the embedded database: one session serves all.`;
  }
  return undefined;
}

function withoutComments(text: string): string {
  return text.replace(/^(\s|--[^\n]*(\n|$)|\/\*[^]*?\*\/)*/, '');
}

/** The one start-up option that the embedded database honours: `-c search_path=...`. */
function searchPathOf(options: string | undefined): string | undefined {
  return /-c\s*search_path=((?:\\.|[^\s\\])+)/.exec(options ?? '')?.[1]?.replace(/\\(.)/g, '$1');
}
