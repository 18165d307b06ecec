import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who approved what the licence policy leaves to a person. */
export class Licences1790000000600 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE "licence_approvals" (
        "id" uuid NOT NULL,
        "version_id" uuid NOT NULL,
        "assessment" character(64) NOT NULL,
        "reason" text NOT NULL,
        "approved_by" text NOT NULL,
        "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
        CONSTRAINT "pk_licence_approvals" PRIMARY KEY ("id"),
        CONSTRAINT "fk_licence_approvals_version" FOREIGN KEY ("version_id") REFERENCES "versions" ("id")
      )`);
    await queryRunner.query(
      `CREATE INDEX "ix_licence_approvals_version" ON "licence_approvals" ("version_id", "created_at")`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE "licence_approvals"');
  }
}
