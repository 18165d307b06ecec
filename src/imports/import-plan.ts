import type { HubFile } from '../hub/hub-repository.js';

/** What is fetched, written down once it was decided: a resumed attempt fetches exactly the same. */
export interface ImportPlan {
  /** `org/name` as the Hub calls it. */
  repository: string;
  commit: string;
  files: HubFile[];
}

export function totalBytesOf({ files }: ImportPlan): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
