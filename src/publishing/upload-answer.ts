import { z } from 'zod';
import { HubError } from '../hub/hub-error.js';
import { parse } from '../hub/hub-repository.js';
import type { HubAnswer } from '../hub/hub-transport.js';

/** Where an object goes, as the Hub answered: in one piece to `href`, or in parts whose end is told to `href`. */
export interface UploadAnswer {
  href: string;
  /** Of a PUT in one piece. */
  headers: Record<string, string>;
  parts?: { chunkBytes: number; urls: string[] };
  /** Where the Hub wants to be told that it is there. */
  verify?: string;
}

const Action = z.object({ href: z.url(), header: z.record(z.string(), z.string()).default({}) });
const Batch = z.object({
  objects: z
    .array(
      z.object({
        oid: z.string(),
        actions: z.object({ upload: Action.optional(), verify: Action.optional() }).optional(),
        error: z.object({ message: z.string().optional() }).optional(),
      }),
    )
    .length(1),
});

/** @returns undefined when the Hub has the object already @throws HubError when it does not want it */
export function uploadAnswerOf(answer: HubAnswer, bytes: number): UploadAnswer | undefined {
  const [object] = parse(Batch, answer).objects;
  if (object?.error) {
    throw new HubError(
      422,
      undefined,
      `The Hub does not take ${object.oid}: ${object.error.message ?? 'no reason given'}`,
    );
  }
  const { upload, verify } = object?.actions ?? {};
  if (!upload) return undefined;
  const { chunk_size: chunkSize, ...rest } = upload.header;
  const common = { href: upload.href, ...(verify && { verify: verify.href }) };
  if (chunkSize === undefined) return { ...common, headers: rest };
  return { ...common, headers: {}, parts: partsOf(Number(chunkSize), rest, bytes) };
}

/** The addresses of the parts, in order: their keys are numbers, with or without leading zeros. */
function partsOf(
  chunkBytes: number,
  header: Record<string, string>,
  bytes: number,
): NonNullable<UploadAnswer['parts']> {
  const urls: string[] = [];
  for (const [name, url] of Object.entries(header)) if (/^\d{1,5}$/.test(name)) urls[Number(name) - 1] = url;
  const expected = Math.ceil(bytes / chunkBytes);
  if (!(chunkBytes > 0) || urls.length !== expected || urls.includes(undefined as never)) {
    throw new HubError(200, undefined, `The Hub gave ${urls.length} addresses for ${expected} parts.`);
  }
  return { chunkBytes, urls };
}
