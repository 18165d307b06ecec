import type { MigrationInterface } from 'typeorm';
import { Registry1790000000000 } from '../migrations/1790000000000-registry.js';
import { Merges1790000000100 } from '../migrations/1790000000100-merges.js';
import { ShardReports1790000000200 } from '../migrations/1790000000200-shard-reports.js';
import { Publications1790000000400 } from '../migrations/1790000000400-publications.js';
import { Triggers1790000000500 } from '../migrations/1790000000500-triggers.js';
import { Licences1790000000600 } from '../migrations/1790000000600-licences.js';
import { Imports1790000000700 } from '../migrations/1790000000700-imports.js';
import { MergePreparations1790000000800 } from '../migrations/1790000000800-merge-preparations.js';
import { HubTokens1790000000900 } from '../migrations/1790000000900-hub-tokens.js';
import { ImportModes1790000001000 } from '../migrations/1790000001000-import-modes.js';
import { IdempotencyKey } from './http/idempotency-key.entity.js';
import { HubTokenRow } from './hub/hub-token.entity.js';
import { LicenceApprovalRow } from './licences/licence-approval.entity.js';
import { ImportEventRow, ImportRow } from './imports/import.entity.js';
import { MergeEventRow } from './merges/merge-event.entity.js';
import { MergeShardRow } from './merges/merge-shard.entity.js';
import { MergeInputRow, MergeRow } from './merges/merge.entity.js';
import { NeedRow, PreparationRow } from './merges/preparation/preparation.entity.js';
import { WorkerRow } from './merges/worker.entity.js';
import { AliasRow } from './models/alias.entity.js';
import { BlobRow } from './models/blob.entity.js';
import { ModelRow } from './models/model.entity.js';
import { UploadFileRow, UploadRow } from './models/upload.entity.js';
import { ExpiredFileRow, VersionFileRow, VersionParentRow, VersionRow } from './models/version.entity.js';
import {
  PublicationEventRow,
  PublicationFileRow,
  PublicationPartRow,
  PublicationRow,
} from './publishing/publication.entity.js';
import { PublishingRuleRow } from './publishing/publishing-rule.entity.js';
import { TriggerRow, TriggerRunRow } from './triggers/trigger.entity.js';

/** Named one by one, because globs find nothing in a bundle and too much in a folder of builds. */
export const entities: (new () => object)[] = [
  ModelRow,
  BlobRow,
  VersionRow,
  VersionFileRow,
  ExpiredFileRow,
  VersionParentRow,
  AliasRow,
  UploadRow,
  UploadFileRow,
  IdempotencyKey,
  MergeRow,
  MergeInputRow,
  MergeShardRow,
  MergeEventRow,
  PreparationRow,
  NeedRow,
  WorkerRow,
  PublishingRuleRow,
  PublicationRow,
  PublicationFileRow,
  PublicationPartRow,
  PublicationEventRow,
  LicenceApprovalRow,
  HubTokenRow,
  ImportRow,
  ImportEventRow,
  TriggerRow,
  TriggerRunRow,
];

/** In the order in which they run. */
export const migrations: (new () => MigrationInterface)[] = [
  Registry1790000000000,
  Merges1790000000100,
  ShardReports1790000000200,
  Publications1790000000400,
  Triggers1790000000500,
  Licences1790000000600,
  Imports1790000000700,
  MergePreparations1790000000800,
  HubTokens1790000000900,
  ImportModes1790000001000,
];
