import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Whether an import copies the weights or refers to them where they are. */
export class ImportModes1790000001000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE "imports" ADD "mode" text NOT NULL DEFAULT 'copy'`);
    await queryRunner.query(
      `ALTER TABLE "imports" ADD CONSTRAINT "ck_imports_mode" CHECK ("mode" IN ('copy','reference'))`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE "imports" DROP COLUMN "mode"');
  }
}
