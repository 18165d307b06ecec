import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Merges whose inputs must be fetched or merged first: what was asked, who prepares it, and what it waits for. */
export class MergePreparations1790000000800 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of statements) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE "merge_needs"');
    await queryRunner.query('DROP TABLE "merge_preparations"');
    // What was never planned cannot be said in the older form.
    await queryRunner.query('DELETE FROM "merges" WHERE "plan" IS NULL');
    for (const column of plannedColumns) {
      await queryRunner.query(`ALTER TABLE "merges" ALTER COLUMN "${column}" SET NOT NULL`);
    }
  }
}

const plannedColumns = ['pinned_recipe', 'seed', 'plan', 'plan_digest', 'summary'];

const statements = [
  ...plannedColumns.map((column) => `ALTER TABLE "merges" ALTER COLUMN "${column}" DROP NOT NULL`),
  `CREATE TABLE "merge_preparations" (
    "merge_id" uuid NOT NULL,
    "request" json NOT NULL,
    "request_digest" character(64) NOT NULL,
    "first_digest" character(64),
    "sealed_token" text,
    "attempt" integer NOT NULL DEFAULT 0,
    "owner" text,
    "lease_until" TIMESTAMP WITH TIME ZONE,
    "failures" integer NOT NULL DEFAULT 0,
    CONSTRAINT "pk_merge_preparations" PRIMARY KEY ("merge_id"),
    CONSTRAINT "fk_merge_preparations_merge" FOREIGN KEY ("merge_id") REFERENCES "merges" ("id") ON DELETE CASCADE
  )`,
  'CREATE INDEX "ix_merge_preparations_request" ON "merge_preparations" ("request_digest")',
  'CREATE INDEX "ix_merge_preparations_first" ON "merge_preparations" ("first_digest")',
  `CREATE TABLE "merge_needs" (
    "merge_id" uuid NOT NULL,
    "reference" text NOT NULL,
    "pointer" text NOT NULL,
    "import_id" uuid,
    "stage_id" uuid,
    "is_own" boolean NOT NULL,
    "keep" boolean NOT NULL,
    "released_at" TIMESTAMP WITH TIME ZONE,
    CONSTRAINT "pk_merge_needs" PRIMARY KEY ("merge_id", "reference"),
    CONSTRAINT "ck_merge_needs_one" CHECK (("import_id" IS NULL) <> ("stage_id" IS NULL)),
    CONSTRAINT "fk_merge_needs_merge" FOREIGN KEY ("merge_id") REFERENCES "merges" ("id") ON DELETE CASCADE,
    CONSTRAINT "fk_merge_needs_import" FOREIGN KEY ("import_id") REFERENCES "imports" ("id"),
    CONSTRAINT "fk_merge_needs_stage" FOREIGN KEY ("stage_id") REFERENCES "merges" ("id")
  )`,
  'CREATE INDEX "ix_merge_needs_import" ON "merge_needs" ("import_id")',
  'CREATE INDEX "ix_merge_needs_stage" ON "merge_needs" ("stage_id")',
];
