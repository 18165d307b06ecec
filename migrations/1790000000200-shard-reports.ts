import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a finished shard tells about its tensors, until the merge report is made of it. */
export class ShardReports1790000000200 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    // json, not jsonb: it reaches a stored file.
    await queryRunner.query('ALTER TABLE "merge_shards" ADD "reports" json');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE "merge_shards" DROP COLUMN "reports"');
  }
}
