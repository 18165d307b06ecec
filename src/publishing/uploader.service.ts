import { Inject, Injectable } from '@nestjs/common';
import type { JobClaim } from '../platform/job-leases.js';
import { OBJECT_STORE } from '../platform/tokens.js';
import type { ObjectStore } from '../storage/object-store.js';
import type { HubRepository } from '../hub/hub-repository.js';
import { HubTransport } from '../hub/hub-transport.js';
import type { OnWait } from '../hub/hub-waiting.js';
import { KeptUploads } from './kept-uploads.js';
import { ObjectUpload } from './object-upload.js';
import { PublicationLeases } from './publication-leases.js';
import { PublicationEvents } from './publication-events.js';
import { allOrNone, Slots } from '../platform/slots.js';

/** PUTs at once: enough to fill a line with latency, few enough that a crash costs little. */
export const partsInFlight = 4;
const progressMs = 1_000;

export interface Upload {
  claim: JobClaim;
  repository: HubRepository;
  revision: string;
  /** Where the bytes of each digest are. */
  sources: ReadonlyMap<string, { key: string } | { bytes: Buffer }>;
  signal: AbortSignal;
  onWait: OnWait;
}

/** Sends the objects of a publication that the Hub has not got. */
@Injectable()
export class Uploader {
  constructor(
    private readonly transport: HubTransport,
    private readonly kept: KeptUploads,
    private readonly leases: PublicationLeases,
    private readonly events: PublicationEvents,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
  ) {}

  /** @throws HubError, StorageError, JobLost; what the signal aborts with */
  async run({ claim, sources, signal, ...rest }: Upload): Promise<void> {
    const context = {
      ...{ claim, transport: this.transport, store: this.store, kept: this.kept, ...rest },
      slots: new Slots(partsInFlight),
    };
    const uploads = (await this.kept.list(claim)).map((upload) => {
      const source = sources.get(upload.sha256);
      if (!source) throw new Error(`publication ${claim.id} has no bytes for ${upload.sha256}`);
      return { upload, object: new ObjectUpload(context, upload, source) };
    });
    const stopTelling = this.#tell(claim, () => uploads.reduce((sum, { object }) => sum + object.sentBytes, 0));
    // A file waits for its turn as a whole: files that are finished one after the other survive a crash whole.
    const turns = new Slots(partsInFlight);
    try {
      await allOrNone(
        signal,
        uploads
          .filter(({ upload }) => !upload.isStored)
          .map(({ upload, object }) => async (each) => {
            await turns.run(async () => {
              each.throwIfAborted();
              await object.run(each);
            });
            const { sha256, bytes } = upload;
            await this.events.changing(claim.id, (manager) =>
              this.events.append(manager, claim.id, 'file', { sha256, bytes, state: 'stored' }),
            );
          }),
      );
    } finally {
      await stopTelling();
    }
  }

  /** Keeps the row's progress near the truth, at most once a second. @returns what ends it, with a last word */
  #tell(claim: JobClaim, sentBytes: () => number): () => Promise<void> {
    let told = -1;
    let telling: Promise<void> = Promise.resolve();
    const tell = async (): Promise<void> => {
      const bytes = sentBytes();
      if (bytes === told) return;
      told = bytes;
      await this.leases.progress(claim, bytes);
      await this.events.tellProgress(claim.id);
    };
    const run = (): Promise<void> => (telling = telling.then(tell).catch(() => undefined));
    const timer = setInterval(() => void run(), progressMs);
    return async () => {
      clearInterval(timer);
      await run();
    };
  }
}
