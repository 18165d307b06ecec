import http from 'node:http';
import https from 'node:https';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { HubError } from './hub-error.js';
import { askedWaitSeconds } from './hub-waiting.js';

export interface HubRequest {
  method: string;
  url: string;
  headers?: Record<string, string>;
  token?: string | undefined;
  /** Made anew for every sending. `bytes` is announced as Content-Length; without it the body goes in chunks. */
  body?: { make: () => Promise<Readable> | Buffer; bytes?: number };
  signal: AbortSignal;
}

export interface HubAnswer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
}

/** A line on which nothing moves for so long is dead. The Hub takes up to a minute for a commit. */
const idleMs = 120_000;
/** Enough for the answer to a batch with the addresses of 10,000 parts. */
const answerBytes = 64 * 2 ** 20;
const redirects = 5;

/**
 * Sends requests as streams, which `fetch` cannot: with a body that it might have to send again it keeps a copy of all of
 * it in memory. One per process, for its connections.
 */
export class HubTransport {
  readonly #agents = {
    http: new http.Agent({ keepAlive: true, maxSockets: 32 }),
    https: new https.Agent({ keepAlive: true, maxSockets: 32 }),
  };

  /** The answer to a 2xx. @throws HubError anything else, with the Hub's words; what the signal aborts with */
  async send(request: HubRequest): Promise<HubAnswer> {
    let url = new URL(request.url);
    for (let left = redirects; ; left -= 1) {
      const answer = await this.#sendOnce(request, url);
      const { location } = answer.headers;
      const isMoved = [301, 302, 307, 308].includes(answer.status) && location !== undefined;
      if (!isMoved || left === 0) {
        if (answer.status >= 200 && answer.status < 300) return answer;
        throw errorOf(request.method, url, answer, request.token);
      }
      const target = new URL(location, url);
      // A renamed repository: the same server. Elsewhere the token and the body have no business.
      if (target.origin !== url.origin) throw errorOf(request.method, url, answer, request.token);
      url = target;
    }
  }

  close(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  async #sendOnce({ method, headers = {}, token, body, signal }: HubRequest, url: URL): Promise<HubAnswer> {
    const isTls = url.protocol === 'https:';
    const source = await body?.make();
    signal.throwIfAborted();
    const bytes = Buffer.isBuffer(source) ? source.byteLength : body?.bytes;
    const request = (isTls ? https : http).request(url, {
      method,
      agent: isTls ? this.#agents.https : this.#agents.http,
      headers: {
        'user-agent': 'amalgam',
        ...headers,
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(bytes !== undefined && { 'content-length': String(bytes) }),
      },
      signal,
    });
    request.setTimeout(idleMs, () => request.destroy(new Error('nothing moved for too long')));
    const answering = readAnswer(request);
    // A server that refuses answers before it has read all, and then resets the line: its answer is what counts.
    const sending = sendBody(request, source);
    try {
      const [answer] = await Promise.all([answering, sending.catch(() => answering)]);
      return answer;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof SourceFailed) throw error.cause;
      const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
      throw new HubError(0, undefined, `${method} ${url.pathname}: ${reason}`, undefined, { cause: error });
    } finally {
      if (source !== undefined && !Buffer.isBuffer(source)) source.destroy();
    }
  }
}

/** What was to be sent could not be read: no fault of the Hub's. */
class SourceFailed extends Error {}

async function sendBody(request: http.ClientRequest, source: Readable | Buffer | undefined): Promise<void> {
  if (source === undefined || Buffer.isBuffer(source)) {
    request.end(source);
    return;
  }
  let failure: Error | undefined;
  source.once('error', (error) => {
    failure = error;
    request.destroy(new SourceFailed('the source failed', { cause: error }));
  });
  await pipeline(source, request).catch((error: unknown) => {
    if (failure === undefined) throw error;
  });
}

function readAnswer(request: http.ClientRequest): Promise<HubAnswer> {
  return new Promise((resolve, reject) => {
    let answered = false;
    request.on('error', (error) => {
      if (!answered) reject(error);
    });
    request.on('response', (response) => {
      answered = true;
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.byteLength;
        if (bytes > answerBytes) response.destroy(new Error('the answer is too long'));
        else chunks.push(chunk);
      });
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
      });
      response.on('error', reject);
      response.on('close', () => reject(new Error('the answer was cut off')));
    });
  });
}

/** What an answer that is not a good one says; without the token, which a server may say back. */
export function errorOf(method: string, url: URL, { status, headers, body }: HubAnswer, token?: string): HubError {
  const code = headers['x-error-code'];
  const said = messageOf(headers, body);
  const message = (token === undefined ? said : said.replaceAll(token, '[token]')).slice(0, 300);
  const words = `${method} ${url.pathname}: ${status} ${message}`;
  return new HubError(status, typeof code === 'string' ? code : undefined, words.trim(), askedWaitSeconds(headers));
}

/** The Hub's words; never a page of HTML, nor of an object store's XML. */
function messageOf(headers: http.IncomingHttpHeaders, body: Buffer): string {
  const text = headers['x-error-message'];
  if (typeof text === 'string') return text;
  try {
    const { error } = JSON.parse(body.toString()) as { error?: unknown };
    return typeof error === 'string' ? error : '';
  } catch {
    return '';
  }
}
