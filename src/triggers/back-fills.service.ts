import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AppError } from '../errors.js';
import type { Commit } from '../http/effects.js';
import { parseRecipe } from '../recipe/index.js';
import { refusalOf } from '../merges/refusal.js';
import { TriggerCheck } from './trigger-check.service.js';
import { getTrigger, lockTrigger, type TriggerRecord, watchOf } from './trigger-rows.js';
import type { BackFill, BackFillRequest } from './triggers.schema.js';

/** Checkpoints of one back-fill: more than a training run keeps, few enough for one answer. */
const versionLimit = 500;

/** A client waits for a dry run. What is not planned by then is told without its cost. */
const planningMs = 8_000;

type Item = BackFill['items'][number];

interface Candidate {
  id: string;
  digest: string;
  version: number;
  expired: boolean;
  /** A run that has not failed. */
  known: boolean;
}

/** Merges of checkpoints that were there before their trigger, or that failed. */
@Injectable()
export class BackFills {
  constructor(
    private readonly database: DataSource,
    private readonly checks: TriggerCheck,
  ) {}

  /** @throws AppError trigger_not_found, trigger_disabled, invalid_request */
  async run(key: string, request: BackFillRequest, commit: Commit<BackFill>): Promise<BackFill> {
    if (!request.dryRun) return commit((manager) => this.#queue(manager, key, request));
    const answer = await this.#dryRun(key, request);
    return commit(() => Promise.resolve(answer));
  }

  async #queue(manager: EntityManager, key: string, request: BackFillRequest): Promise<BackFill> {
    const trigger = await lockTrigger(manager, key);
    if (!trigger.enabled) {
      throw new AppError('trigger_disabled', `Enable ${trigger.name} first; a dry run is possible as it is.`);
    }
    const candidates = await listCandidates(manager, trigger, request);
    const items = candidates.map((candidate) => itemOf(trigger, candidate));
    for (const [index, { digest, id, version }] of candidates.entries()) {
      if (items[index]?.action !== 'queue') continue;
      await manager.query(
        `insert into trigger_runs (trigger_id, checkpoint_digest, version_id, version_number, origin, state)
         values ($1, $2, $3, $4, 'back-fill', 'waiting')
         on conflict (trigger_id, checkpoint_digest) do update
           set state = 'waiting', origin = 'back-fill', version_id = $3, version_number = $4, merge_id = null,
               is_own_merge = false, failure = null, attempts = 0, next_attempt_at = now()`,
        [trigger.id, digest, id, version],
      );
    }
    return answerOf(false, items);
  }

  async #dryRun(key: string, request: BackFillRequest): Promise<BackFill> {
    const { manager } = this.database;
    const trigger = await getTrigger(manager, key);
    const candidates = await listCandidates(manager, trigger, request);
    const until = performance.now() + planningMs;
    const items: Item[] = [];
    for (const candidate of candidates) {
      const item = itemOf(trigger, candidate);
      const isPlanned = item.action === 'queue' && performance.now() < until;
      items.push(isPlanned ? await this.#planned(trigger, item) : item);
    }
    return answerOf(true, items);
  }

  async #planned({ recipe, options }: TriggerRecord, item: Item): Promise<Item> {
    try {
      const template = parseRecipe(recipe, { lenient: true }).recipe;
      const { outputBytes, readBytes } = await this.checks.plan(template, options, item.checkpoint);
      return { ...item, outputBytes, readBytes };
    } catch (error) {
      const failure = refusalOf(error);
      if (!failure) throw error;
      return { ...item, action: 'refuse', failure };
    }
  }
}

/** Versions of the range, oldest first; of equal ones the first counts. @throws AppError invalid_request */
async function listCandidates(
  manager: EntityManager,
  { id, watch_namespace: namespace, watch_name: name }: TriggerRecord,
  { from = 1, to }: BackFillRequest,
): Promise<Candidate[]> {
  const rows = await manager.query<Candidate[]>(
    `select v.id, v.digest, v.version, v.weights_expired_at is not null as expired,
            (r.trigger_id is not null and r.state <> 'refused' and coalesce(g.state not in ('failed', 'cancelled'), true))
              or row_number() over (partition by v.digest order by v.version) > 1 as known
     from models m join versions v on v.model_id = m.id
       left join trigger_runs r on r.trigger_id = $1 and r.checkpoint_digest = v.digest
       left join merges g on g.id = r.merge_id
     where m.namespace = $2 and m.name = $3 and v.version >= $4 and ($5::int is null or v.version <= $5)
     order by v.version limit $6`,
    [id, namespace, name, from, to ?? null, versionLimit + 1],
  );
  if (rows.length <= versionLimit) return rows;
  throw new AppError('invalid_request', `These are more than ${versionLimit} versions; give a narrower range.`, {
    pointer: '/to',
  });
}

function itemOf(trigger: TriggerRecord, { version, known, expired }: Candidate): Item {
  const action = known ? 'known' : expired ? 'expired' : 'queue';
  const checkpoint = `${watchOf(trigger)}@${version}`;
  return { checkpoint, action, outputBytes: null, readBytes: null, failure: null };
}

function answerOf(dryRun: boolean, items: Item[]): BackFill {
  return { dryRun, queued: items.filter(({ action }) => action === 'queue').length, items };
}
