import type { PGlite } from '@electric-sql/pglite';
import { errorResponse, query, readyForQuery, takeMessages, textAt } from './postgres-wire.js';

/** A client of the one session: where its answers and notifications go. */
export interface SessionClient {
  /** Value of search_path that this client's statements expect. */
  readonly searchPath: string;
  /** Channels that this client listens on. */
  readonly channels: ReadonlySet<string>;
  push(bytes: Buffer): void;
}

interface Waiter {
  client: SessionClient;
  bytes: Buffer;
  statement: string;
  queuedAt: number;
  timer: NodeJS.Timeout | undefined;
}

interface Holder {
  client: SessionClient;
  since: number;
  statement: string;
}

/** Longer than any statement of ours; a longer wait is a query beside the transaction that waits for it. */
const waitLimitSeconds = 5;

/**
 * Shares PGlite's single session among many clients, one group of messages at a time. A client whose group leaves a
 * transaction open holds the session until a later group of its own ends it; everybody else waits in order.
 */
export class PgliteSession {
  #waiters: Waiter[] = [];
  #holder: Holder | undefined;
  #pumping = false;
  #searchPath = '';
  readonly #clients = new Set<SessionClient>();

  constructor(private readonly pglite: PGlite) {}

  join(client: SessionClient): void {
    this.#clients.add(client);
  }

  /** A client that goes takes its open transaction with it, as a closed connection would. */
  leave(client: SessionClient): void {
    if (!this.#clients.delete(client)) return;
    for (const waiter of this.#waiters.filter((each) => each.client === client)) this.#remove(waiter);
    if (this.#holder?.client === client) this.#rollBack(this.#holder);
  }

  #rollBack(holder: Holder): void {
    const nobody: SessionClient = { searchPath: holder.client.searchPath, channels: new Set(), push: () => undefined };
    this.#holder = { ...holder, client: nobody };
    this.run(nobody, query('ROLLBACK'), 'ROLLBACK');
  }

  /** Runs a group of messages that ends with Sync or is a simple Query; the answer is pushed to the client. */
  run(client: SessionClient, bytes: Buffer, statement: string): void {
    const waiter: Waiter = { client, bytes, statement, queuedAt: Date.now(), timer: undefined };
    this.#waiters.push(waiter);
    if (this.#holder?.client !== client) this.#watch(waiter, waitLimitSeconds * 1000);
    this.#pump();
  }

  /** Resolves when everything that was asked for has been answered. */
  async drain(): Promise<void> {
    while (this.#pumping) await new Promise((resolve) => setImmediate(resolve));
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    // One group a turn of the event loop: a long queue must not starve timers and sockets.
    setImmediate(() => {
      const waiter = this.#next();
      void (waiter ? this.#execute(waiter) : Promise.resolve()).then(() => {
        this.#pumping = false;
        if (this.#next()) this.#pump();
      });
    });
  }

  #next(): Waiter | undefined {
    const holder = this.#holder;
    return holder ? this.#waiters.find((waiter) => waiter.client === holder.client) : this.#waiters[0];
  }

  async #execute(waiter: Waiter): Promise<void> {
    this.#remove(waiter);
    const { client, statement } = waiter;
    try {
      if (!this.#holder && this.#searchPath !== client.searchPath) {
        await this.#exchange(query(`SET search_path TO ${client.searchPath}`));
        this.#searchPath = client.searchPath;
      }
      const { answer, status } = await this.#exchange(waiter.bytes);
      this.#holder = status === 'I' ? undefined : { client, since: this.#holder?.since ?? Date.now(), statement };
      client.push(answer);
      if (this.#holder && !this.#clients.has(client)) this.#rollBack(this.#holder);
    } catch (error) {
      // The session itself is broken: whoever asks is told, and nothing waits for ever.
      this.#holder = undefined;
      client.push(failure('58000', `The embedded database stopped: ${String(error)}`));
    }
  }

  /** Hands one group to PGlite; notifications among the answer go to whoever listens, the rest is returned. */
  async #exchange(bytes: Buffer): Promise<{ answer: Buffer; status: string }> {
    const chunks: Buffer[] = [];
    // With a callback PGlite neither parses nor keeps the answer, and its view of WASM memory must be copied.
    await this.pglite.execProtocolRawStream(bytes, {
      syncToFs: false,
      onRawData: (raw) => void chunks.push(Buffer.from(raw)),
    });
    let status = 'I';
    const own: Buffer[] = [];
    for (const each of takeMessages(Buffer.concat(chunks), true).messages) {
      if (each.type === 'A') this.#notify(each.bytes);
      else own.push(each.bytes);
      if (each.type === 'Z') status = each.bytes.toString('latin1', 5, 6);
    }
    return { answer: Buffer.concat(own), status };
  }

  #notify(bytes: Buffer): void {
    const channel = textAt(bytes, 9);
    for (const client of this.#clients) if (client.channels.has(channel)) client.push(bytes);
  }

  /** Fails a waiter once it has waited its limit behind one and the same transaction. */
  #watch(waiter: Waiter, milliseconds: number): void {
    waiter.timer = setTimeout(() => {
      const blockedSince = Math.max(waiter.queuedAt, this.#holder?.since ?? Infinity);
      const leftMilliseconds = blockedSince + waitLimitSeconds * 1000 - Date.now();
      if (leftMilliseconds > 0) {
        this.#watch(waiter, Math.min(leftMilliseconds, waitLimitSeconds * 1000));
        return;
      }
      this.#remove(waiter);
      const held = this.#holder?.statement ?? '';
      const sentence =
        `Waited ${String(waitLimitSeconds)} s to run "${shorten(waiter.statement)}" while a transaction that last ran ` +
        `"${shorten(held)}" holds the embedded database's only session; inside a transaction use only its manager.`;
      waiter.client.push(failure('55P03', sentence));
    }, milliseconds);
    waiter.timer.unref();
  }

  #remove(waiter: Waiter): void {
    clearTimeout(waiter.timer);
    this.#waiters = this.#waiters.filter((each) => each !== waiter);
  }
}

function failure(sqlState: string, sentence: string): Buffer {
  return Buffer.concat([errorResponse(sqlState, sentence), readyForQuery('I')]);
}

function shorten(statement: string): string {
  const line = statement.replace(/\s+/g, ' ').trim();
  return line.length > 120 ? `${line.slice(0, 120)}...` : line;
}
