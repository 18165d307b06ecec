import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Recipes that wait for checkpoints, what they started, and the weights that need not be kept. */
export class Triggers1790000000500 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of statements) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE "trigger_runs", "triggers", "expired_files"');
    await queryRunner.query('ALTER TABLE "versions" DROP COLUMN "weights_expired_at"');
  }
}

const statements = [
  `ALTER TABLE "versions" ADD "weights_expired_at" TIMESTAMP WITH TIME ZONE`,
  // A table of their own, without a foreign key: every row of version_files keeps a blob alive.
  `CREATE TABLE "expired_files" (
    "version_id" uuid NOT NULL,
    "path" text NOT NULL,
    "sha256" character(64) NOT NULL,
    "bytes" bigint NOT NULL,
    "media_type" text NOT NULL,
    CONSTRAINT "pk_expired_files" PRIMARY KEY ("version_id", "path"),
    CONSTRAINT "fk_expired_files_version" FOREIGN KEY ("version_id") REFERENCES "versions" ("id")
  )`,
  `CREATE INDEX "ix_expired_files_sha256" ON "expired_files" ("sha256")`,
  `CREATE TABLE "triggers" (
    "id" uuid NOT NULL,
    "name" text NOT NULL,
    "watch_namespace" text NOT NULL,
    "watch_name" text NOT NULL,
    "recipe" json NOT NULL,
    "recipe_digest" character(64) NOT NULL,
    "options" json NOT NULL,
    "output" text NOT NULL,
    "sealed_token" text,
    "keep_last" integer,
    "enabled" boolean NOT NULL,
    "seen_version" integer NOT NULL,
    "created_by" text NOT NULL,
    "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
    CONSTRAINT "pk_triggers" PRIMARY KEY ("id"),
    CONSTRAINT "uq_triggers_name" UNIQUE ("name"),
    CONSTRAINT "ck_triggers_keep_last" CHECK ("keep_last" >= 1)
  )`,
  // The same recipe and the same bytes: once, whatever arrives twice.
  `CREATE TABLE "trigger_runs" (
    "trigger_id" uuid NOT NULL,
    "checkpoint_digest" character(64) NOT NULL,
    "version_id" uuid NOT NULL,
    "version_number" integer NOT NULL,
    "origin" text NOT NULL,
    "state" text NOT NULL,
    "merge_id" uuid,
    "is_own_merge" boolean NOT NULL DEFAULT false,
    "failure" jsonb,
    "attempts" integer NOT NULL DEFAULT 0,
    "next_attempt_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
    "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
    CONSTRAINT "pk_trigger_runs" PRIMARY KEY ("trigger_id", "checkpoint_digest"),
    CONSTRAINT "fk_trigger_runs_trigger" FOREIGN KEY ("trigger_id") REFERENCES "triggers" ("id") ON DELETE CASCADE,
    CONSTRAINT "fk_trigger_runs_version" FOREIGN KEY ("version_id") REFERENCES "versions" ("id"),
    CONSTRAINT "fk_trigger_runs_merge" FOREIGN KEY ("merge_id") REFERENCES "merges" ("id"),
    CONSTRAINT "ck_trigger_runs_origin" CHECK ("origin" IN ('arrival','back-fill')),
    CONSTRAINT "ck_trigger_runs_state" CHECK ("state" IN ('waiting','submitted','refused')),
    CONSTRAINT "ck_trigger_runs_submitted" CHECK (("state" = 'submitted') = ("merge_id" IS NOT NULL))
  )`,
  `CREATE INDEX "ix_trigger_runs_waiting" ON "trigger_runs" ("state", "next_attempt_at")`,
  `CREATE INDEX "ix_trigger_runs_version" ON "trigger_runs" ("version_id")`,
];
