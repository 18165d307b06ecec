import { Readable } from 'node:stream';
import { digestObject } from '../storage/content.js';
import { type ObjectStore, StorageError } from '../storage/object-store.js';
import { HubError } from '../hub/hub-error.js';
import type { HubRepository } from '../hub/hub-repository.js';
import type { HubTransport } from '../hub/hub-transport.js';
import { type OnWait, patiently } from '../hub/hub-waiting.js';
import type { KeptUpload, KeptUploads } from './kept-uploads.js';
import type { JobClaim } from '../platform/job-leases.js';
import { allOrNone, type Slots } from '../platform/slots.js';
import { type UploadAnswer, uploadAnswerOf } from './upload-answer.js';

/** What every object of a publication is sent with. */
export interface UploadContext {
  claim: JobClaim;
  repository: HubRepository;
  revision: string;
  transport: HubTransport;
  store: ObjectStore;
  kept: KeptUploads;
  slots: Slots;
  onWait: OnWait;
}

/** How often the Hub is asked anew where an object goes: addresses expire within hours. */
const answersAtMost = 5;

/** Sends one object, straight from the object store: no byte is kept on this machine, in memory only what is on its way. */
export class ObjectUpload {
  /** Bytes that the Hub has or is getting, by part. */
  readonly #sent = new Map<number, number>();

  constructor(
    private readonly context: UploadContext,
    private readonly upload: KeptUpload,
    private readonly source: { key: string } | { bytes: Buffer },
  ) {
    if (upload.isStored) this.#sent.set(0, upload.bytes);
    for (const number of upload.etags.keys()) this.#sent.set(number, this.#part(number).length);
  }

  get sentBytes(): number {
    let sum = 0;
    for (const bytes of this.#sent.values()) sum += bytes;
    return sum;
  }

  /** @throws HubError, StorageError digest_mismatch, JobLost; what the signal aborts with */
  async run(signal: AbortSignal): Promise<void> {
    if (this.upload.isStored) return;
    const { kept, claim } = this.context;
    let { answer } = this.upload;
    for (let answers = 0; ; answers += 1) {
      answer ??= await this.#ask();
      if (answer === undefined) break;
      try {
        await this.#send(answer, signal);
        break;
      } catch (error) {
        if (!isAddressGone(error)) throw error;
        if (answers >= 1 && error.status === 400) await this.#checkOwnBytes();
        if (answers >= answersAtMost) throw error;
        answer = undefined;
      }
    }
    await kept.keepStored(claim, this.upload.sha256);
    this.#sent.clear();
    this.#sent.set(0, this.upload.bytes);
  }

  async #ask(): Promise<UploadAnswer | undefined> {
    const { repository, revision, kept, claim } = this.context;
    const { sha256: oid, bytes: size } = this.upload;
    const answer = uploadAnswerOf(await repository.batch(revision, { oid, size }), size);
    this.#sent.clear();
    this.upload.etags.clear();
    // Kept before the first byte goes, or a crash would cost what was sent under it.
    if (answer) this.upload.batch = await kept.keepAnswer(claim, oid, answer);
    return answer;
  }

  async #send(answer: UploadAnswer, signal: AbortSignal): Promise<void> {
    const { repository, slots } = this.context;
    const object = { oid: this.upload.sha256, size: this.upload.bytes };
    this.upload.answer = answer;
    if (answer.parts === undefined) {
      await slots.run(() => this.#put(1, answer.href, answer.headers, signal));
    } else {
      const missing = answer.parts.urls.map((url, index) => ({ url, number: index + 1 }));
      await allOrNone(
        signal,
        missing
          .filter(({ number }) => !this.upload.etags.has(number))
          .map(
            ({ url, number }) =>
              (each) =>
                this.#sendPart(number, url, each),
          ),
      );
      await this.#complete(answer.href, signal);
    }
    if (answer.verify !== undefined) await repository.verify(answer.verify, object);
  }

  #sendPart(number: number, url: string, signal: AbortSignal): Promise<void> {
    const { kept, claim, slots } = this.context;
    // The next one begins when this one is kept, so that a crash costs no more than what is in flight.
    return slots.run(async () => {
      const etag = await this.#put(number, url, {}, signal);
      if (etag === undefined) throw new HubError(502, undefined, `The Hub's store gave no ETag for part ${number}.`);
      await kept.keepPart(claim, this.upload.sha256, this.upload.batch, number, etag);
      this.upload.etags.set(number, etag);
    });
  }

  /** A wait keeps its slot: when the store is busy, more requests are what it needs least. @returns the ETag */
  #put(number: number, url: string, headers: Record<string, string>, signal: AbortSignal): Promise<string | undefined> {
    const { transport, onWait } = this.context;
    const { offset, length } = this.#part(number);
    const put = async (): Promise<string | undefined> => {
      const body = { make: () => this.#read(number, offset, length), bytes: length };
      return (await transport.send({ method: 'PUT', url, headers, body, signal })).headers.etag;
    };
    return patiently(put, { signal, onWait });
  }

  /** The addresses of parts and of their end carry their own rights: the token has no business there. */
  async #complete(href: string, signal: AbortSignal): Promise<void> {
    const { transport, onWait } = this.context;
    const parts = [...this.upload.etags].sort(([a], [b]) => a - b);
    const body = JSON.stringify({
      oid: this.upload.sha256,
      parts: parts.map(([partNumber, etag]) => ({ partNumber, etag })),
    });
    const headers = { 'content-type': 'application/vnd.git-lfs+json', accept: 'application/vnd.git-lfs+json' };
    const make = (): Buffer => Buffer.from(body);
    await patiently(() => transport.send({ method: 'POST', url: href, headers, body: { make }, signal }), {
      ...{ signal, onWait },
    });
  }

  #part(number: number): { offset: number; length: number } {
    const chunk = this.upload.answer?.parts?.chunkBytes ?? this.upload.bytes;
    const offset = (number - 1) * chunk;
    return { offset, length: Math.min(chunk, this.upload.bytes - offset) };
  }

  async #read(number: number, offset: number, length: number): Promise<Readable> {
    this.#sent.set(number, 0);
    const { source } = this;
    const bytes =
      'bytes' in source
        ? Readable.from([source.bytes.subarray(offset, offset + length)])
        : await this.context.store.read(source.key, { offset, length });
    return Readable.from(this.#metered(number, bytes), { objectMode: false });
  }

  async *#metered(number: number, source: Readable): AsyncGenerator<Buffer> {
    let sent = 0;
    for await (const chunk of source as AsyncIterable<Buffer>) {
      yield chunk;
      sent += chunk.byteLength;
      this.#sent.set(number, sent);
    }
  }

  /** The Hub found other bytes than were announced: when it is ours that are wrong, sending them again cannot help. */
  async #checkOwnBytes(): Promise<void> {
    if ('bytes' in this.source) return;
    const { sha256 } = await digestObject(this.context.store, this.source.key);
    if (sha256 === this.upload.sha256) return;
    throw new StorageError('digest_mismatch', `The stored bytes of ${this.upload.sha256} do not have this SHA-256.`);
  }
}

/** An address that has expired, or an upload that the store has forgotten or does not accept: the Hub gives new ones. */
function isAddressGone(error: unknown): error is HubError {
  return error instanceof HubError && [400, 403, 404, 410].includes(error.status);
}
