/** An object of somebody else's bucket, as it was at some time: another one has another ETag. */
export interface SourceObject {
  bucket: string;
  /** The object's name in the bucket. */
  name: string;
  /** Without quotes. */
  etag: string;
}

const scheme = 's3://';
/** The beginning of every key below, for queries. Keys of the service's own objects cannot begin so. */
export const sourceKeyPattern = `${scheme}%`;

/** The key under which the registry knows an object that stays where it is: `s3://bucket/name#etag`. */
export function formatSourceKey({ bucket, name, etag }: SourceObject): string {
  const path = name.split('/').map(encodeURIComponent).join('/');
  return `${scheme}${bucket}/${path}#${encodeURIComponent(etag)}`;
}

/** Undefined for the key of an object of the service's own. */
export function findSourceObject(key: string): SourceObject | undefined {
  const [, bucket, path, etag] = /^s3:\/\/([^/#]+)\/([^#]+)#([^#]+)$/.exec(key) ?? [];
  if (bucket === undefined || path === undefined || etag === undefined) return undefined;
  return { bucket, name: path.split('/').map(decodeURIComponent).join('/'), etag: decodeURIComponent(etag) };
}

export function isSourceKey(key: string): boolean {
  return key.startsWith(scheme);
}
