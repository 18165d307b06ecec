import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { fenceOf, fenceParameters, type JobClaim, JobLost } from '../platform/job-leases.js';
import { updated } from '../platform/leases.js';
import { Sealer } from '../platform/sealing.js';
import type { UploadAnswer } from './upload-answer.js';

/** An object that goes to the Hub's store, and how far it is. */
export interface KeptUpload {
  sha256: string;
  bytes: number;
  isStored: boolean;
  /** Number of the answer; parts count under the one that they were sent with. */
  batch: number;
  /** Absent before the Hub was asked. */
  answer?: UploadAnswer;
  /** ETags by number of part, as the store gave them. */
  etags: Map<number, string>;
}

const fence = fenceOf('id');
const ours = `exists (select 1 from publications where ${fence})`;

/**
 * What was sent so far, so that whoever goes on after a crash sends nothing twice. Every write names the attempt it
 * belongs to and throws when that has lost the publication.
 */
@Injectable()
export class KeptUploads {
  constructor(
    private readonly database: DataSource,
    private readonly sealer: Sealer,
  ) {}

  async list(claim: JobClaim): Promise<KeptUpload[]> {
    const rows = await this.database.query<
      { sha256: string; bytes: string; state: string; batch: number; sealed_upload: string | null }[]
    >(
      `select sha256, bytes, state, batch, sealed_upload from publication_files
       where publication_id = $1 order by bytes desc, sha256`,
      [claim.id],
    );
    const parts = await this.database.query<{ sha256: string; batch: number; number: number; etag: string }[]>(
      'select sha256, batch, number, etag from publication_parts where publication_id = $1',
      [claim.id],
    );
    return rows.map(({ sha256, bytes, state, batch, sealed_upload: sealed }) => {
      // Sealed with a key that is not there any more: the Hub is asked anew.
      const text = sealed === null ? undefined : this.sealer.open(sealed, placeOf(claim, sha256));
      const sent = parts.filter((part) => part.sha256 === sha256 && part.batch === batch);
      return {
        ...{ sha256, batch, bytes: Number(bytes), isStored: state === 'stored' },
        ...(text !== undefined && { answer: JSON.parse(text) as UploadAnswer }),
        etags: new Map(sent.map(({ number, etag }) => [number, etag])),
      };
    });
  }

  /** Under a new number, so that parts that were sent before do not count. @returns the number */
  async keepAnswer(claim: JobClaim, sha256: string, answer: UploadAnswer): Promise<number> {
    const sealed = this.sealer.seal(JSON.stringify(answer), placeOf(claim, sha256));
    const [row] = await updated<{ batch: number }>(
      this.database.manager,
      `update publication_files set batch = batch + 1, sealed_upload = $5
       where publication_id = $1 and sha256 = $4 and ${ours} returning batch`,
      [...fenceParameters(claim), sha256, sealed],
    );
    if (!row) throw new JobLost('publication', claim);
    return row.batch;
  }

  async keepPart(claim: JobClaim, sha256: string, batch: number, number: number, etag: string): Promise<void> {
    // Something was achieved, so the failures before it do not count any more.
    const rows = await this.database.query<unknown[]>(
      `with ours as (update publications set failures = 0 where ${fence} returning id)
       insert into publication_parts (publication_id, sha256, batch, number, etag)
       select id, $4, $5, $6, $7 from ours
       on conflict (publication_id, sha256, batch, number) do update set etag = excluded.etag returning number`,
      [...fenceParameters(claim), sha256, batch, number, etag],
    );
    if (rows.length === 0) throw new JobLost('publication', claim);
  }

  /** The Hub has it: neither addresses nor parts are needed any more. */
  async keepStored(claim: JobClaim, sha256: string): Promise<void> {
    await this.database.transaction(async (manager) => {
      const rows = await updated(
        manager,
        `update publications set failures = 0 where ${fence} returning id`,
        fenceParameters(claim),
      );
      if (rows.length === 0) throw new JobLost('publication', claim);
      await manager.query(
        `update publication_files set state = 'stored', sealed_upload = null where publication_id = $1 and sha256 = $2`,
        [claim.id, sha256],
      );
      await manager.query('delete from publication_parts where publication_id = $1 and sha256 = $2', [
        claim.id,
        sha256,
      ]);
    });
  }
}

function placeOf({ id }: JobClaim, sha256: string): string {
  return `publication ${id} upload ${sha256}`;
}
