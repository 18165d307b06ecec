import http from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import { HubError, StoreRefusal } from './hub-error.js';
import { errorOf } from './hub-transport.js';
import { isPrivateAddress, isPrivateHost, PrivateAddress, publicLookup } from './private-address.js';

export interface DownloadRequest {
  url: URL;
  /** First and last byte. */
  range: readonly [number, number];
  /** Goes to the Hub itself and to nobody else. */
  token: string | undefined;
  signal: AbortSignal;
}

export interface Download {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: http.IncomingMessage;
  /** Where the bytes come from, after redirects. */
  url: URL;
}

/** A line on which nothing moves for so long is dead. */
const idleMs = 30_000;
const redirects = 5;
/** Of an error's body: enough for a sentence. */
const errorBytes = 65_536;

/**
 * Reads ranges of files as streams. The Hub redirects to its store: the token does not go there, and a redirect into a
 * private network is refused, unless the Hub that is configured is in one itself.
 */
export class HubDownloads {
  readonly #agents = {
    http: new http.Agent({ keepAlive: true, maxSockets: 16 }),
    https: new https.Agent({ keepAlive: true, maxSockets: 16 }),
  };
  readonly #hub: URL;
  #isHubPrivate: Promise<boolean> | undefined;

  /** @param hubUrl base URL of the Hub */
  constructor(hubUrl: string) {
    this.#hub = new URL(hubUrl);
  }

  /** The answer to a range; its body is to be read or destroyed. @throws HubError, StoreRefusal; what the signal aborts with */
  async open({ url, range, token, signal }: DownloadRequest): Promise<Download> {
    let target = url;
    for (let left = redirects; ; left -= 1) {
      const answer = await this.#get(target, range, token, signal);
      const { location } = answer.headers;
      const status = answer.statusCode ?? 0;
      if (status === 200 || status === 206) return { status, headers: answer.headers, body: answer, url: target };
      if (![301, 302, 303, 307, 308].includes(status) || location === undefined || left === 0) {
        throw await this.#refusal(target, answer, token);
      }
      answer.destroy();
      const next = URL.canParse(location, target.href) ? new URL(location, target) : undefined;
      const isSafe = next?.protocol === 'https:' || (next?.protocol === 'http:' && target.protocol === 'http:');
      if (!next || !isSafe) throw new HubError(400, undefined, `GET ${target.pathname}: redirects to no safe address`);
      target = next;
    }
  }

  close(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  async #refusal(url: URL, answer: http.IncomingMessage, token: string | undefined): Promise<HubError> {
    const { statusCode: status = 0, headers } = answer;
    const error = errorOf('GET', url, { status, headers, body: await startOf(answer) }, token);
    const isOfStore = url.origin !== this.#hub.origin;
    return isOfStore && isOfAddress(status) ? new StoreRefusal(status, undefined, error.message) : error;
  }

  async #get(
    url: URL,
    [first, last]: readonly [number, number],
    token: string | undefined,
    signal: AbortSignal,
  ): Promise<http.IncomingMessage> {
    const isHub = url.origin === this.#hub.origin;
    const isGuarded = !isHub && !(await (this.#isHubPrivate ??= isPrivateHost(this.#hub.hostname)));
    signal.throwIfAborted();
    // An address is connected to without looking anything up.
    const host = url.hostname.replace(/^\[|\]$/g, '');
    if (isGuarded && isIP(host) !== 0 && isPrivateAddress(host)) throw refused(url, new PrivateAddress(host));
    const isTls = url.protocol === 'https:';
    return new Promise((resolve, reject) => {
      const request = (isTls ? https : http).request(url, {
        agent: isTls ? this.#agents.https : this.#agents.http,
        headers: {
          'user-agent': 'amalgam',
          'accept-encoding': 'identity',
          range: `bytes=${first}-${last}`,
          ...(isHub && token !== undefined && { authorization: `Bearer ${token}` }),
        },
        ...(isGuarded && { lookup: publicLookup }),
        signal,
      });
      request.setTimeout(idleMs, () => request.destroy(new Error('nothing moved for too long')));
      request.on('response', resolve);
      request.on('error', (error) => reject(signal.aborted ? (signal.reason as Error) : refused(url, error)));
      request.end();
    });
  }
}

/** Statuses by which object stores and their caches refuse a signed address. */
function isOfAddress(status: number): boolean {
  return [400, 401, 403, 404, 410].includes(status);
}

function refused(url: URL, error: Error): HubError {
  const status = error instanceof PrivateAddress ? 400 : 0;
  const reason = status === 400 ? error.message : ((error as NodeJS.ErrnoException).code ?? error.message);
  return new HubError(status, undefined, `GET ${url.pathname}: ${reason}`, undefined, { cause: error });
}

async function startOf(answer: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      if ((bytes += chunk.byteLength) > errorBytes) break;
    }
  } catch {
    // Half of an explanation is no worse than none.
  }
  answer.destroy();
  return Buffer.concat(chunks).subarray(0, errorBytes);
}
