import type { Problem } from '../http/problem.schema.js';
import { Failure } from './failure.js';

/** What a service refused: RFC 9457 with its members. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';

  constructor(
    readonly status: number,
    readonly problem: Partial<Problem>,
  ) {
    super(problem.detail ?? problem.title ?? `The service answered ${status}.`);
  }

  get code(): string {
    return this.problem.code ?? `http_${this.status}`;
  }
}

/** The line to the service broke, or never was: the same request may work when it is sent again. */
export class ConnectionLost extends Failure {
  constructor(url: string, cause: unknown) {
    super('service_unreachable', `${new URL(url).origin}: ${reasonOf(cause)}`);
  }
}

/** Whether fetch failed, or a body that it delivers: a TypeError, whose class may be another realm's. */
export function isLineBroken(error: unknown): boolean {
  const { name } = error as Error;
  return name === 'TypeError' || name === 'AbortError';
}

export interface ApiRequest {
  method?: string;
  headers?: Record<string, string>;
  /** An object goes as JSON; text, bytes and streams go as they are. */
  body?: object | string | AsyncIterable<Uint8Array>;
  signal?: AbortSignal;
}

/** Speaks to one service. */
export class ApiClient {
  constructor(
    /** Base URL. */
    readonly url: string,
    private readonly key: string | undefined,
  ) {}

  /** @throws ApiProblem, ConnectionLost */
  async json<T>(path: string, request: ApiRequest = {}): Promise<T> {
    const response = await this.request(path, request);
    try {
      return (await response.json()) as T;
    } catch (error) {
      throw isLineBroken(error) ? new ConnectionLost(this.url, error) : this.foreign(response);
    }
  }

  /** Every item of a list. @param path with a query @throws ApiProblem, ConnectionLost */
  async list<T>(path: string): Promise<T[]> {
    const items: T[] = [];
    for (let cursor = ''; ;) {
      const page = await this.json<{ items: T[]; nextCursor: string | null }>(path + cursor);
      items.push(...page.items);
      if (page.nextCursor === null) return items;
      cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`;
    }
  }

  /** The answer, body unread, when it is a good one. @throws ApiProblem, ConnectionLost */
  async request(path: string, { method = 'GET', headers = {}, body, signal }: ApiRequest = {}): Promise<Response> {
    const isJson = typeof body === 'object' && !(Symbol.asyncIterator in body);
    const response = await this.fetch(path, {
      method,
      headers: {
        ...(isJson && { 'content-type': 'application/json' }),
        ...(this.key !== undefined && { authorization: `Bearer ${this.key}` }),
        ...headers,
      },
      // A key belongs to one service; whoever wants it moved gives the other URL.
      redirect: 'error',
      ...(signal && { signal }),
      ...(body !== undefined && { body: isJson ? JSON.stringify(body) : (body as string), duplex: 'half' }),
    });
    if (response.ok) return response;
    throw await this.problemOf(response);
  }

  private async fetch(path: string, init: RequestInit): Promise<Response> {
    const url = this.url.replace(/\/$/, '') + path;
    try {
      return await fetch(url, init);
    } catch (error) {
      if (init.signal?.aborted === true) throw error;
      throw new ConnectionLost(url, error);
    }
  }

  private async problemOf(response: Response): Promise<Error> {
    const text = await response.text().catch(() => '');
    if (response.headers.get('content-type')?.includes('json') !== true) return this.foreign(response);
    try {
      return new ApiProblem(response.status, JSON.parse(text) as Partial<Problem>);
    } catch {
      return this.foreign(response);
    }
  }

  /** Another program than Amalgam, or a proxy before it. */
  private foreign({ status, url }: Response): Failure {
    return new Failure('unexpected_answer', `${url}: the answer, ${status}, is not one of Amalgam's`);
  }
}

function reasonOf(error: unknown): string {
  // fetch says only "fetch failed" and keeps the reason as its cause.
  const { code, message } = ((error as Error).cause ?? error) as NodeJS.ErrnoException;
  if (code === 'ECONNREFUSED') return 'nothing listens there (ECONNREFUSED)';
  if (code === 'ENOTFOUND') return 'there is no such host (ENOTFOUND)';
  return message || code || 'the connection failed';
}
