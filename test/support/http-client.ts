import { createHash } from 'node:crypto';
import { until } from './child-server.js';

export interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

export interface ServerEvent {
  id: number;
  type: string;
  data: Record<string, unknown>;
}

/** A small client of the service under test, which speaks plain HTTP: what a user's program would do. */
export class HttpClient {
  constructor(
    readonly url: string,
    private readonly headers: Record<string, string> = {},
  ) {}

  async get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return answerOf(await fetch(this.url + path, { headers: { ...this.headers, ...headers } }));
  }

  async post(path: string, body: unknown = {}, headers: Record<string, string> = {}): Promise<Answer> {
    const isText = typeof body === 'string';
    return answerOf(
      await fetch(this.url + path, {
        method: 'POST',
        headers: { 'content-type': isText ? 'application/yaml' : 'application/json', ...this.headers, ...headers },
        body: isText ? body : JSON.stringify(body),
      }),
    );
  }

  async text(path: string): Promise<string> {
    return (await fetch(this.url + path, { headers: this.headers })).text();
  }

  async bytes(path: string): Promise<Buffer> {
    const response = await fetch(this.url + path, { headers: this.headers });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return Buffer.from(await response.arrayBuffer());
  }

  /** Makes a model and its next version out of files in memory. @returns `team/name@version` */
  async push(name: string, files: Record<string, Uint8Array>): Promise<string> {
    const [namespace, model] = name.split('/');
    await this.post('/v1/models', { namespace, name: model });
    const upload = await this.post(`/v1/models/${name}/uploads`);
    for (const [path, bytes] of Object.entries(files)) {
      const response = await fetch(`${this.url}/v1/uploads/${String(upload.body['id'])}/files/${path}`, {
        method: 'PUT',
        headers: { ...this.headers, 'x-content-sha256': createHash('sha256').update(bytes).digest('hex') },
        body: new Uint8Array(bytes),
      });
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    }
    const done = await this.post(`/v1/uploads/${String(upload.body['id'])}/complete`);
    if (done.status !== 201) throw new Error(`not completed: ${JSON.stringify(done.body)}`);
    return String(done.body['reference']);
  }

  /** Waits until a merge is in one of the states. @throws Error with the merge when it ends in another */
  async reach(id: string, states: readonly string[], seconds = 60): Promise<Record<string, unknown>> {
    let merge: Record<string, unknown> = {};
    await until(
      `merge ${id} is ${states.join(' or ')}`,
      async () => {
        merge = (await this.get(`/v1/merges/${id}`)).body;
        const state = String(merge['state']);
        if (states.includes(state)) return true;
        if (['succeeded', 'failed', 'cancelled'].includes(state)) throw new Error(JSON.stringify(merge, null, 1));
        return false;
      },
      seconds,
    );
    return merge;
  }

  /** Every event after `after`, as the stream delivers them, until it ends or `isEnough`. */
  async events(
    id: string,
    { after, isEnough = () => false }: { after?: number; isEnough?: (event: ServerEvent) => boolean } = {},
  ): Promise<ServerEvent[]> {
    const abort = new AbortController();
    const response = await fetch(`${this.url}/v1/merges/${id}/events`, {
      headers: {
        ...this.headers,
        accept: 'text/event-stream',
        ...(after !== undefined && { 'last-event-id': String(after) }),
      },
      signal: abort.signal,
    });
    const events: ServerEvent[] = [];
    if (response.status === 204) return events;
    if (response.status !== 200 || !response.body) throw new Error(`${response.status} ${await response.text()}`);
    let rest = '';
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      rest += chunk;
      for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
        const event = eventOf(rest.slice(0, end));
        rest = rest.slice(end + 2);
        if (event) events.push(event);
        if (event && isEnough(event)) {
          abort.abort();
          return events;
        }
      }
    }
    return events;
  }
}

function eventOf(block: string): ServerEvent | undefined {
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
  const [id, type, data] = [field('id'), field('event'), field('data')];
  if (id === undefined || type === undefined || data === undefined) return undefined;
  return { id: Number(id), type, data: JSON.parse(data) as Record<string, unknown> };
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = (response.headers.get('content-type') ?? '').includes('json');
  const body = isJson && text !== '' ? (JSON.parse(text) as Record<string, unknown>) : { text };
  return { status: response.status, headers: response.headers, body };
}
