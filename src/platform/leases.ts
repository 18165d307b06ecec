import type { EntityManager } from 'typeorm';

/** Half of the 20 s in which a crash must be repaired, less the sweep; three heartbeats may be lost. */
export const leaseSeconds = 9;
export const heartbeatMs = 3_000;

/** `held`: go on. `lost`: somebody else has it, or may have it soon. `stop`: still ours, but nobody wants the result. */
export type LeaseState = 'held' | 'lost' | 'stop';

/** A lease that its owner keeps alive while it works. */
export interface KeptLease {
  /** What is held, for messages. */
  name: string;
  renew: () => Promise<LeaseState>;
  /** Calls back on every change of the row in this process. @returns what ends it */
  onChange: (callback: () => void) => () => void;
}

/** Keeps a lease alive, and aborts the work as soon as it is in vain. @returns what ends it */
export function keepLease({ name, renew, onChange }: KeptLease, work: AbortController): () => Promise<void> {
  let isEnded = false;
  let renewedAt = performance.now();
  let renewing: Promise<void> = Promise.resolve();
  const renewOnce = async (): Promise<void> => {
    if (isEnded) return;
    const lease = await renew().catch(() => 'unknown' as const);
    if (lease === 'held') renewedAt = performance.now();
    // A database that is away for a moment is no reason to throw work away; once the lease has ended, it is.
    else if (lease !== 'unknown' || performance.now() - renewedAt > leaseSeconds * 1_000) {
      work.abort(new Error(`the lease of ${name} is ${lease}`));
    }
  };
  const beat = (): void => void (renewing = renewing.then(renewOnce));
  const timer = setInterval(beat, heartbeatMs);
  const unsubscribe = onChange(beat);
  return async () => {
    isEnded = true;
    clearInterval(timer);
    unsubscribe();
    await renewing;
  };
}

/** Rows of an UPDATE or DELETE with RETURNING: TypeORM answers those with rows and count. */
export async function updated<Row>(manager: EntityManager, sql: string, parameters: unknown[]): Promise<Row[]> {
  const [rows] = await manager.query<[Row[], number]>(sql, parameters);
  return rows;
}
