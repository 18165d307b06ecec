import { AppError } from '../errors.js';

/** Above the largest single file on the Hub by far; S3 takes 10,000 parts. */
const maxFileBytes = 500e9;
/** Everything but weights is read by people and programs in one piece. */
const maxOtherBytes = 256e6;
const maxTextBytes = 2e6;

/** S3 refuses smaller parts, except the last. */
export const minPartBytes = 5 * 2 ** 20;
/** One is in memory for each file on its way. */
export const usualPartBytes = 8 * 2 ** 20;
const maxParts = 10_000;

export interface UploadRange {
  /** Lower-case hex, of the whole file. */
  sha256: string;
  /**
   * Nobody announced the digest: `sha256` then stands for what is fetched, until the file is there and has been hashed.
   * Such a file is always the same one, whoever fetches it into this upload.
   */
  isUnannounced?: boolean;
  /** First byte that the request carries. */
  offset: number;
  /** Bytes that the request carries. */
  bytes: number;
  /** Bytes of the whole file. */
  totalBytes: number;
}

export const digestPattern = /^[0-9a-fA-F]{64}$/;
export const contentRangePattern = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/;

type Headers = Record<string, string | string[] | undefined>;

/**
 * What a PUT says about its body.
 * @throws AppError length_required, digest_required, malformed_header, chunk_too_small, body_too_large
 */
export function uploadRangeOf(headers: Headers, path: string): UploadRange {
  const length = headers['content-length'];
  if (typeof length !== 'string' || !/^\d{1,15}$/.test(length)) {
    throw new AppError('length_required', 'Send the number of bytes in Content-Length.', { pointer: 'Content-Length' });
  }
  const range = contentRangeOf(headers['content-range'], Number(length));
  const limit = path.endsWith('.safetensors') ? maxFileBytes : path.endsWith('.md') ? maxTextBytes : maxOtherBytes;
  if (range.totalBytes > limit) {
    throw new AppError('body_too_large', `A file of this kind may have at most ${limit.toLocaleString('en')} bytes.`);
  }
  return { ...range, sha256: digestOf(headers['x-content-sha256']) };
}

/** Parts of 8 MiB, larger ones only when there would be too many. */
export function partBytesOf(totalBytes: number): number {
  return Math.max(usualPartBytes, Math.ceil(totalBytes / maxParts));
}

function digestOf(header: string | string[] | undefined): string {
  if (header === undefined) {
    throw new AppError('digest_required', 'Send the SHA-256 of the whole file, in hex, in X-Content-SHA256.', {
      pointer: 'X-Content-SHA256',
    });
  }
  if (typeof header === 'string' && digestPattern.test(header)) return header.toLowerCase();
  throw new AppError('malformed_header', 'X-Content-SHA256 must have 64 hexadecimal digits.', {
    pointer: 'X-Content-SHA256',
  });
}

function contentRangeOf(header: string | string[] | undefined, bytes: number): Omit<UploadRange, 'sha256'> {
  if (header === undefined) return { offset: 0, bytes, totalBytes: bytes };
  const [, first, last, total] = contentRangePattern.exec(String(header)) ?? [];
  const [offset, end, totalBytes] = [Number(first), Number(last) + 1, Number(total)];
  if (!(offset < end && end <= totalBytes && end - offset === bytes)) {
    throw new AppError(
      'malformed_header',
      'Content-Range must be `bytes FIRST-LAST/TOTAL` with as many bytes as Content-Length says.',
      { pointer: 'Content-Range' },
    );
  }
  if (end < totalBytes && bytes < minPartBytes) {
    throw new AppError('chunk_too_small', 'A range that does not end the file has at least 5,242,880 bytes.', {
      pointer: 'Content-Range',
    });
  }
  return { offset, bytes, totalBytes };
}
