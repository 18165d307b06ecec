import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Imports from the Hub, their events, and where an imported version came from. */
export class Imports1790000000700 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of statements) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE "import_events"');
    await queryRunner.query('DROP TABLE "imports"');
    await queryRunner.query('DROP INDEX "versions_source_idx"');
    await queryRunner.query(`UPDATE "versions" SET "origin" = 'upload' WHERE "origin" = 'import'`);
    await queryRunner.query('ALTER TABLE "versions" DROP COLUMN "source_repository", DROP COLUMN "source_commit"');
    await queryRunner.query('ALTER TABLE "versions" DROP CONSTRAINT "versions_origin_check"');
    await queryRunner.query(
      `ALTER TABLE "versions" ADD CONSTRAINT "versions_origin_check" CHECK (origin in ('upload', 'merge'))`,
    );
  }
}

const statements = [
  `ALTER TABLE "versions" ADD "source_repository" text, ADD "source_commit" text`,
  'ALTER TABLE "versions" DROP CONSTRAINT "versions_origin_check"',
  `ALTER TABLE "versions" ADD CONSTRAINT "versions_origin_check" CHECK (origin in ('upload', 'merge', 'import'))`,
  'CREATE INDEX "versions_source_idx" ON "versions" ("source_repository", "source_commit")',
  `CREATE TABLE "imports" (
    "id" uuid NOT NULL,
    "state" text NOT NULL DEFAULT 'queued',
    "source" text NOT NULL,
    "namespace" text NOT NULL,
    "name" text NOT NULL,
    "alias" text,
    "upload_id" uuid,
    "sealed_token" text,
    "plan" json,
    "total_bytes" bigint NOT NULL DEFAULT 0,
    "done_bytes" bigint NOT NULL DEFAULT 0,
    "version_id" uuid,
    "event_seq" integer NOT NULL DEFAULT 0,
    "progress_at" TIMESTAMP WITH TIME ZONE,
    "attempt" integer NOT NULL DEFAULT 0,
    "owner" text,
    "lease_until" TIMESTAMP WITH TIME ZONE,
    "failures" integer NOT NULL DEFAULT 0,
    "cancel_requested_at" TIMESTAMP WITH TIME ZONE,
    "failure" jsonb,
    "created_by" text NOT NULL,
    "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
    "finished_at" TIMESTAMP WITH TIME ZONE,
    CONSTRAINT "pk_imports" PRIMARY KEY ("id"),
    CONSTRAINT "ck_imports_state" CHECK ("state" IN ('queued','planning','fetching','succeeded','failed','cancelled')),
    CONSTRAINT "ck_imports_version" CHECK (("state" = 'succeeded') = ("version_id" IS NOT NULL)),
    CONSTRAINT "fk_imports_version" FOREIGN KEY ("version_id") REFERENCES "versions" ("id")
  )`,
  'CREATE INDEX "ix_imports_created" ON "imports" ("created_at", "id")',
  'CREATE INDEX "ix_imports_state" ON "imports" ("state", "created_at")',
  `CREATE TABLE "import_events" (
    "import_id" uuid NOT NULL,
    "seq" integer NOT NULL,
    "type" text NOT NULL,
    "data" jsonb NOT NULL,
    "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
    CONSTRAINT "pk_import_events" PRIMARY KEY ("import_id", "seq"),
    CONSTRAINT "fk_import_events_import" FOREIGN KEY ("import_id") REFERENCES "imports" ("id") ON DELETE CASCADE
  )`,
];
