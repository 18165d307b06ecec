import { Injectable } from '@nestjs/common';
import { MergeQueue } from '../platform/queue.js';
import { ShardLeases } from './shard-leases.js';

/** More than a fleet can take at once; the sweep rings again for the rest. */
const ringsAtOnce = 64;

/** Tells workers that there is something to do. A lost ring costs a sweep, nothing else. */
@Injectable()
export class Doorbell {
  constructor(
    private readonly leases: ShardLeases,
    private readonly queue: MergeQueue,
  ) {}

  /** Rings for every shard that waits and was not rung for lately. */
  async ring(): Promise<void> {
    const waiting = await this.leases.listUnannounced(ringsAtOnce);
    await Promise.all(
      waiting.map(({ mergeId, index, attempt, announcement }) =>
        this.queue.announce(`${mergeId}.${index}`, attempt, announcement),
      ),
    );
  }
}
