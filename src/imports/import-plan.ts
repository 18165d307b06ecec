import type { HubFile } from '../hub/hub-repository.js';

/** An object of a bucket that is a file of a model. */
export interface S3File {
  /** Below the prefix. */
  path: string;
  bytes: number;
  /** Without quotes. */
  etag: string;
}

export type SourceFile = HubFile | S3File;

/** What is fetched, written down once it was decided: a resumed attempt fetches exactly the same. */
export interface ImportPlan {
  /** `org/name` as the Hub calls it, or `s3://bucket/prefix`. */
  repository: string;
  /** Of the Hub, or the SHA-256 over names, ETags and sizes of the objects. */
  commit: string;
  files: SourceFile[];
}

export function totalBytesOf({ files }: ImportPlan): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
