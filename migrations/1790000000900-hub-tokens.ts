import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Tokens of the Hub that namespaces have, and whose an import uses when that is not its own namespace's. */
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
    await queryRunner.query('ALTER TABLE "imports" ADD "token_namespace" text');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE "imports" DROP COLUMN "token_namespace"');
    await queryRunner.query('DROP TABLE "hub_tokens"');
  }
}
