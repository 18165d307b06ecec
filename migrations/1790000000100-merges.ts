import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Merges, their inputs, shards and events, and the workers that carry them out. */
export class Merges1790000000100 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    // json, not jsonb, where the order of members reaches a stored file: jsonb sorts them anew.
    await queryRunner.query(`
      CREATE TABLE "merges" (
        "id" uuid NOT NULL,
        "state" text NOT NULL,
        "output_namespace" text NOT NULL,
        "output_name" text NOT NULL,
        "output_alias" text,
        "recipe" json NOT NULL,
        "pinned_recipe" json NOT NULL,
        "seed" bigint NOT NULL,
        "shard_bytes" bigint NOT NULL,
        "labels" jsonb NOT NULL,
        "device" text NOT NULL,
        "plan" json NOT NULL,
        "plan_digest" character(64) NOT NULL,
        "summary" json NOT NULL,
        "event_seq" integer NOT NULL DEFAULT 0,
        "progress_at" TIMESTAMP WITH TIME ZONE,
        "attempt" integer NOT NULL DEFAULT 0,
        "owner" text,
        "lease_until" TIMESTAMP WITH TIME ZONE,
        "announcement" integer NOT NULL DEFAULT 0,
        "announced_at" TIMESTAMP WITH TIME ZONE,
        "failures" integer NOT NULL DEFAULT 0,
        "cancel_requested_at" TIMESTAMP WITH TIME ZONE,
        "failure" jsonb,
        "version_id" uuid,
        "version_number" integer,
        "deduplicated_from" uuid,
        "created_by" text NOT NULL,
        "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
        "finished_at" TIMESTAMP WITH TIME ZONE,
        "freed_at" TIMESTAMP WITH TIME ZONE,
        CONSTRAINT "pk_merges" PRIMARY KEY ("id"),
        CONSTRAINT "ck_merges_state" CHECK ("state" IN ('queued','planning','fetching','running','finalizing','succeeded','failed','cancelled')),
        CONSTRAINT "ck_merges_succeeded" CHECK (("state" = 'succeeded') = ("version_id" IS NOT NULL)),
        CONSTRAINT "fk_merges_version" FOREIGN KEY ("version_id") REFERENCES "versions" ("id"),
        CONSTRAINT "fk_merges_deduplicated_from" FOREIGN KEY ("deduplicated_from") REFERENCES "merges" ("id")
      )`);
    // The list is read newest first, by page; the sweeper asks for what is alive.
    await queryRunner.query(`CREATE INDEX "ix_merges_created" ON "merges" ("created_at", "id")`);
    await queryRunner.query(`CREATE INDEX "ix_merges_state" ON "merges" ("state", "created_at")`);
    await queryRunner.query(`CREATE INDEX "ix_merges_plan_digest" ON "merges" ("plan_digest", "state")`);
    // Two twins that arrive at once: the database lets one in, the other is answered with it.
    await queryRunner.query(`
      CREATE UNIQUE INDEX "ux_merges_live_twin" ON "merges"
        ("plan_digest", "output_namespace", "output_name", COALESCE("output_alias", ''))
        WHERE "state" NOT IN ('succeeded','failed','cancelled')`);
    await queryRunner.query(`
      CREATE TABLE "merge_inputs" (
        "merge_id" uuid NOT NULL,
        "position" integer NOT NULL,
        "reference" text NOT NULL,
        "role" text NOT NULL,
        "version_id" uuid NOT NULL,
        CONSTRAINT "pk_merge_inputs" PRIMARY KEY ("merge_id", "position"),
        CONSTRAINT "ck_merge_inputs_role" CHECK ("role" IN ('base','model')),
        CONSTRAINT "fk_merge_inputs_merge" FOREIGN KEY ("merge_id") REFERENCES "merges" ("id") ON DELETE CASCADE,
        CONSTRAINT "fk_merge_inputs_version" FOREIGN KEY ("version_id") REFERENCES "versions" ("id")
      )`);
    await queryRunner.query(`CREATE INDEX "ix_merge_inputs_version" ON "merge_inputs" ("version_id")`);
    await queryRunner.query(`
      CREATE TABLE "merge_shards" (
        "merge_id" uuid NOT NULL,
        "index" integer NOT NULL,
        "file_name" text NOT NULL,
        "planned_bytes" bigint NOT NULL,
        "state" text NOT NULL DEFAULT 'pending',
        "attempt" integer NOT NULL DEFAULT 0,
        "owner" text,
        "lease_until" TIMESTAMP WITH TIME ZONE,
        "announcement" integer NOT NULL DEFAULT 0,
        "announced_at" TIMESTAMP WITH TIME ZONE,
        "failures" integer NOT NULL DEFAULT 0,
        "done_bytes" bigint NOT NULL DEFAULT 0,
        "sha256" character(64),
        "bytes" bigint,
        "object_key" text,
        CONSTRAINT "pk_merge_shards" PRIMARY KEY ("merge_id", "index"),
        CONSTRAINT "ck_merge_shards_state" CHECK ("state" IN ('pending','running','done')),
        CONSTRAINT "ck_merge_shards_done" CHECK ("state" <> 'done' OR ("sha256" IS NOT NULL AND "bytes" IS NOT NULL AND "object_key" IS NOT NULL)),
        CONSTRAINT "fk_merge_shards_merge" FOREIGN KEY ("merge_id") REFERENCES "merges" ("id") ON DELETE CASCADE
      )`);
    await queryRunner.query(`CREATE INDEX "ix_merge_shards_state" ON "merge_shards" ("state", "lease_until")`);
    await queryRunner.query(`CREATE INDEX "ix_merge_shards_sha256" ON "merge_shards" ("sha256")`);
    await queryRunner.query(`
      CREATE TABLE "merge_events" (
        "merge_id" uuid NOT NULL,
        "seq" integer NOT NULL,
        "type" text NOT NULL,
        "data" jsonb NOT NULL,
        "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
        CONSTRAINT "pk_merge_events" PRIMARY KEY ("merge_id", "seq"),
        CONSTRAINT "fk_merge_events_merge" FOREIGN KEY ("merge_id") REFERENCES "merges" ("id") ON DELETE CASCADE
      )`);
    await queryRunner.query(`
      CREATE TABLE "workers" (
        "id" text NOT NULL,
        "pool" text NOT NULL,
        "started_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
        "heartbeat_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
        CONSTRAINT "pk_workers" PRIMARY KEY ("id"),
        CONSTRAINT "ck_workers_pool" CHECK ("pool" IN ('cpu','gpu'))
      )`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const table of ['workers', 'merge_events', 'merge_shards', 'merge_inputs', 'merges']) {
      await queryRunner.query(`DROP TABLE "${table}"`);
    }
  }
}
