const multipliers: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, b: 1e9 };

/**
 * A size as mergekit-yaml takes it: a whole number, or one with k, M or B after it (decimal).
 * @returns bytes
 * @throws RangeError
 */
export function parseShardSize(text: string): number {
  const [, digits, unit = ''] = /^(\d+)([kmb]?)$/i.exec(text.trim()) ?? [];
  const bytes = Number(digits) * (multipliers[unit.toLowerCase()] ?? NaN);
  if (digits !== undefined && Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw new RangeError('A size is a whole number of bytes, or one such as 500k, 500M or 5B.');
}
