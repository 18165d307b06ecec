/** A folder of objects in a bucket, as users write it: `s3://bucket/prefix`. */
export interface S3Reference {
  bucket: string;
  /** Without a slash at either end; empty for the whole bucket. */
  prefix: string;
}

const bucketPattern = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
/** Letters and digits of any script, and the signs that need no care in a URL, a log line or a file list. */
const segmentPattern = /^[\p{L}\p{N}!_.*'()=+@,:~-]+$/u;
const maxPrefix = 400;

/** Undefined when the text is none. A slash at the end means the same as none. */
export function findS3Reference(text: string): S3Reference | undefined {
  const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]*)(?:\/|\/(.+?)\/?)?$/s.exec(text) ?? [];
  return isBucket(bucket) && isPrefix(prefix) ? { bucket, prefix } : undefined;
}

export function isBucket(text: string): boolean {
  return bucketPattern.test(text) && !text.includes('..');
}

/** Whether it can be a prefix: no segment is empty, `.` or `..`, which mean something else to programs than to S3. */
export function isPrefix(text: string): boolean {
  if (text === '') return true;
  return (
    text.length <= maxPrefix && text.split('/').every((part) => segmentPattern.test(part) && !/^\.\.?$/.test(part))
  );
}

/** The text that `findS3Reference` reads as the same. */
export function formatS3Reference({ bucket, prefix }: S3Reference): string {
  return prefix === '' ? `s3://${bucket}` : `s3://${bucket}/${prefix}`;
}

/** What the names of all objects in the folder begin with. */
export function folderOf({ prefix }: Pick<S3Reference, 'prefix'>): string {
  return prefix === '' ? '' : `${prefix}/`;
}
