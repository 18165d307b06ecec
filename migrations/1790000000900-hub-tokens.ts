import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The token of the Hub that a namespace's models are imported and published with. */
export class HubTokens1790000000900 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE "hub_tokens" (
        "namespace" text NOT NULL,
        "sealed_token" text NOT NULL,
        "set_by" text NOT NULL,
        "set_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
        CONSTRAINT "pk_hub_tokens" PRIMARY KEY ("namespace")
      )`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE "hub_tokens"');
  }
}
