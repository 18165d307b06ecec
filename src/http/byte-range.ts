export interface ByteRange {
  first: number;
  /** Inclusive. */
  last: number;
}

/**
 * Reads a Range header (RFC 9110, 14.2). Undefined means the whole: without a header, and as the standard wants it, for
 * units and forms that are not understood. Several ranges are answered with the whole too: nobody needs them for models.
 */
export function byteRangeOf(header: string | undefined, bytes: number): ByteRange | 'unsatisfiable' | undefined {
  const [, from, to] = /^bytes=(\d{0,15})-(\d{0,15})$/i.exec(header?.trim() ?? '') ?? [];
  if (from === undefined || to === undefined || (from === '' && to === '')) return undefined;
  if (from === '') {
    const suffix = Math.min(Number(to), bytes);
    return suffix === 0 ? 'unsatisfiable' : { first: bytes - suffix, last: bytes - 1 };
  }
  const first = Number(from);
  const last = to === '' ? bytes - 1 : Math.min(Number(to), bytes - 1);
  if (to !== '' && Number(to) < first) return undefined;
  return first >= bytes ? 'unsatisfiable' : { first, last };
}
