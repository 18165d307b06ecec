import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Publications to the Hub, what of them was sent, their events, and the rules that make them. */
export class Publications1790000000400 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE "publishing_rules" (
        "id" uuid NOT NULL,
        "namespace" text NOT NULL,
        "name" text NOT NULL,
        "alias" text NOT NULL,
        "repository" text NOT NULL,
        "revision" text NOT NULL,
        "options" jsonb NOT NULL,
        "sealed_token" text,
        "created_by" text NOT NULL,
        "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
        CONSTRAINT "pk_publishing_rules" PRIMARY KEY ("id"),
        CONSTRAINT "ux_publishing_rules_target" UNIQUE ("namespace", "name", "alias", "repository")
      )`);
    await queryRunner.query(`
      CREATE TABLE "publications" (
        "id" uuid NOT NULL,
        "state" text NOT NULL,
        "version_id" uuid,
        "repository" text NOT NULL,
        "revision" text NOT NULL,
        "options" jsonb NOT NULL,
        "merge_id" uuid,
        "rule_id" uuid,
        "sealed_token" text,
        "plan" json,
        "total_bytes" bigint NOT NULL DEFAULT 0,
        "done_bytes" bigint NOT NULL DEFAULT 0,
        "found" jsonb NOT NULL DEFAULT '{}',
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
        CONSTRAINT "pk_publications" PRIMARY KEY ("id"),
        CONSTRAINT "ck_publications_state" CHECK ("state" IN ('waiting','queued','planning','uploading','committing','settling','succeeded','failed','cancelled')),
        CONSTRAINT "ck_publications_version" CHECK ("version_id" IS NOT NULL OR "state" IN ('waiting','cancelled')),
        CONSTRAINT "fk_publications_version" FOREIGN KEY ("version_id") REFERENCES "versions" ("id"),
        CONSTRAINT "fk_publications_merge" FOREIGN KEY ("merge_id") REFERENCES "merges" ("id"),
        CONSTRAINT "fk_publications_rule" FOREIGN KEY ("rule_id") REFERENCES "publishing_rules" ("id") ON DELETE SET NULL
      )`);
    await queryRunner.query(`CREATE INDEX "ix_publications_created" ON "publications" ("created_at", "id")`);
    await queryRunner.query(`CREATE INDEX "ix_publications_state" ON "publications" ("state", "created_at")`);
    await queryRunner.query(`CREATE INDEX "ix_publications_version" ON "publications" ("version_id")`);
    await queryRunner.query(`CREATE INDEX "ix_publications_merge" ON "publications" ("merge_id")`);
    await queryRunner.query(`
      CREATE TABLE "publication_files" (
        "publication_id" uuid NOT NULL,
        "sha256" character(64) NOT NULL,
        "bytes" bigint NOT NULL,
        "state" text NOT NULL DEFAULT 'pending',
        "batch" integer NOT NULL DEFAULT 0,
        "sealed_upload" text,
        CONSTRAINT "pk_publication_files" PRIMARY KEY ("publication_id", "sha256"),
        CONSTRAINT "ck_publication_files_state" CHECK ("state" IN ('pending','stored')),
        CONSTRAINT "fk_publication_files_publication" FOREIGN KEY ("publication_id") REFERENCES "publications" ("id") ON DELETE CASCADE
      )`);
    await queryRunner.query(`
      CREATE TABLE "publication_parts" (
        "publication_id" uuid NOT NULL,
        "sha256" character(64) NOT NULL,
        "batch" integer NOT NULL,
        "number" integer NOT NULL,
        "etag" text NOT NULL,
        CONSTRAINT "pk_publication_parts" PRIMARY KEY ("publication_id", "sha256", "batch", "number"),
        CONSTRAINT "fk_publication_parts_file" FOREIGN KEY ("publication_id", "sha256") REFERENCES "publication_files" ("publication_id", "sha256") ON DELETE CASCADE
      )`);
    await queryRunner.query(`
      CREATE TABLE "publication_events" (
        "publication_id" uuid NOT NULL,
        "seq" integer NOT NULL,
        "type" text NOT NULL,
        "data" jsonb NOT NULL,
        "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
        CONSTRAINT "pk_publication_events" PRIMARY KEY ("publication_id", "seq"),
        CONSTRAINT "fk_publication_events_publication" FOREIGN KEY ("publication_id") REFERENCES "publications" ("id") ON DELETE CASCADE
      )`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    const tables = ['publication_events', 'publication_parts', 'publication_files', 'publications', 'publishing_rules'];
    for (const table of tables) await queryRunner.query(`DROP TABLE "${table}"`);
  }
}
