// Sorting a row of magnitudes: what ranks fall back to where magnitudes occur so often that bins tell little.

import { bump } from './lanes';

const DIGIT_BITS: i32 = 11;
const DIGITS: i32 = 1 << DIGIT_BITS;

/**
 * Sorts a row by radix: entries of index (u32) and key (u32), the smallest first, of equal ones the highest index first.
 * `scratch` has room for three histograms and twice the entries. Returns where they are.
 */
export function sortKeys(keys: usize, scratch: usize, n: i32): usize {
  const table = <usize>DIGITS << 2;
  memory.fill(scratch, 0, 3 * table);
  let from = (scratch + 3 * table + 7) & ~7;
  let to = from + (<usize>n << 3);
  let entry = from;
  for (let i = n - 1; i >= 0; i--) {
    const key = load<u32>(keys + (<usize>i << 2));
    store<u32>(entry, i);
    store<u32>(entry, key, 4);
    bump(scratch + (<usize>(key & (DIGITS - 1)) << 2));
    bump(scratch + table + (<usize>((key >> DIGIT_BITS) & (DIGITS - 1)) << 2));
    bump(scratch + 2 * table + (<usize>(key >> (2 * DIGIT_BITS)) << 2));
    entry += 8;
  }
  for (let digit = 0; digit < 3; digit++) {
    const starts = scratch + <usize>digit * table;
    const shift = digit * DIGIT_BITS;
    const some = starts + (<usize>((load<u32>(from, 4) >> shift) & (DIGITS - 1)) << 2);
    if (load<u32>(some) == <u32>n) continue;
    let before: u32 = 0;
    for (let slot = starts; slot < starts + table; slot += 4) {
      const members = load<u32>(slot);
      store<u32>(slot, before);
      before += members;
    }
    for (let at = from; at < from + (<usize>n << 3); at += 8) {
      const slot = starts + (<usize>((load<u32>(at, 4) >> shift) & (DIGITS - 1)) << 2);
      const place = load<u32>(slot);
      store<u32>(slot, place + 1);
      store<u64>(to + (<usize>place << 3), load<u64>(at));
    }
    const swapped = from;
    from = to;
    to = swapped;
  }
  return from;
}
