import { describe, expect, it } from '@jest/globals';
import { formatBytes, formatCount, formatFields, formatSeconds, formatTable, plural, printable } from './format.js';

describe('quantities for people', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 kB'],
    [9_994, '9.99 kB'],
    [9_995, '10.0 kB'],
    [902_784, '902.8 kB'],
    [999_949, '999.9 kB'],
    [999_950, '1.00 MB'],
    [5e9, '5.00 GB'],
    [3e18, '3000.0 PB'],
  ])('%d bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it.each([
    [0.04, '0.0 s'],
    [9.94, '9.9 s'],
    [9.96, '10 s'],
    [59.4, '59 s'],
    [59.6, '1 min 0 s'],
    [3599.9, '1 h 0 min'],
    [7384, '2 h 3 min'],
  ])('%d seconds are %s', (seconds, text) => expect(formatSeconds(seconds)).toBe(text));

  it('groups digits and counts things', () => {
    expect([0, 999, 1000, 1234567].map(formatCount)).toEqual(['0', '999', '1,000', '1,234,567']);
    expect([0, 1, 2].map((count) => plural(count, 'file'))).toEqual(['0 files', '1 file', '2 files']);
  });
});

describe('text for terminals', () => {
  it('puts columns and fields under each other', () => {
    expect(
      formatTable([
        ['a', '1'],
        ['bcd', '10'],
      ]),
    ).toBe('  a     1\n  bcd  10\n');
    expect(
      formatFields([
        ['a', '1'],
        ['bcd', '10'],
      ]),
    ).toBe('a    1\nbcd  10\n');
  });

  it('lets nothing move the cursor or pretend to be another line', () => {
    expect(printable('a\u001b[2Jb\r\nc\u202ed\u2028')).toBe('a\ufffd[2Jb  c\ufffdd ');
  });
});
