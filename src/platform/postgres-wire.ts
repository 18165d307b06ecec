/**
 * The little of PostgreSQL's wire protocol that is needed to stand between `pg` and a database in the same process:
 * where messages begin and end, and the few that we write ourselves.
 */

/** One message: its type byte as a character ('' for the start-up packet) and its whole bytes. */
export interface WireMessage {
  type: string;
  bytes: Buffer;
}

/** Cuts complete messages off the front of a buffer; returns them and the rest. */
export function takeMessages(buffer: Buffer, started: boolean): { messages: WireMessage[]; rest: Buffer } {
  const messages: WireMessage[] = [];
  let offset = 0;
  for (;;) {
    const typeBytes = started || messages.length > 0 ? 1 : 0;
    if (buffer.length < offset + typeBytes + 4) break;
    const end = offset + typeBytes + buffer.readUInt32BE(offset + typeBytes);
    if (buffer.length < end) break;
    const type = typeBytes === 1 ? String.fromCharCode(buffer[offset] ?? 0) : '';
    messages.push({ type, bytes: buffer.subarray(offset, end) });
    offset = end;
  }
  return { messages, rest: buffer.subarray(offset) };
}

/** The zero-terminated string at `offset`. */
export function textAt(bytes: Buffer, offset: number): string {
  return bytes.toString('utf8', offset, bytes.indexOf(0, offset));
}

/** The statement that a Query or Parse message carries, and the name Parse gives it. */
export function statementOf({ type, bytes }: WireMessage): { text: string; name: string } | undefined {
  if (type === 'Q') return { text: textAt(bytes, 5), name: '' };
  if (type !== 'P') return undefined;
  const name = textAt(bytes, 5);
  return { text: textAt(bytes, 5 + Buffer.byteLength(name) + 1), name };
}

/** The parameters of a start-up packet, such as `options`. */
export function startupParameters(bytes: Buffer): Map<string, string> {
  const words = bytes.toString('utf8', 8, bytes.length).split('\0');
  const parameters = new Map<string, string>();
  for (let i = 0; i + 1 < words.length && words[i] !== ''; i += 2) parameters.set(words[i] ?? '', words[i + 1] ?? '');
  return parameters;
}

export function message(type: string, ...parts: (string | Buffer)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(`${part}\0`) : part)));
  const head = Buffer.alloc(5);
  head.write(type, 'latin1');
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

export function query(text: string): Buffer {
  return message('Q', text);
}

/** What a server says when it accepts a client. */
export function greeting(processId: number): Buffer {
  const key = Buffer.alloc(8);
  key.writeUInt32BE(processId);
  return Buffer.concat([
    message('R', Buffer.alloc(4)),
    message('S', 'client_encoding', 'UTF8'),
    message('S', 'standard_conforming_strings', 'on'),
    message('K', key),
    readyForQuery('I'),
  ]);
}

export function readyForQuery(status: string): Buffer {
  return message('Z', Buffer.from(status, 'latin1'));
}

/** An error as the server would send it: SQLSTATE and one sentence. */
export function errorResponse(sqlState: string, sentence: string): Buffer {
  return message('E', 'SERROR', 'VERROR', `C${sqlState}`, `M${sentence}`, Buffer.alloc(1));
}
