import { describe, expect, it } from '@jest/globals';
import { decode, encode, roundTo, ulp } from '../support/tensors.js';

// The other tests measure with these functions, so they are measured here.

const everyHalf = new Uint8Array(Uint16Array.from({ length: 65_536 }, (_item, i) => i).buffer);

describe.each(['BF16', 'F16'] as const)('%s', (dtype) => {
  it('decodes every bit pattern to the value that encodes to it', () => {
    const values = decode(dtype, everyHalf);
    const back = new Uint16Array(encode(dtype, values).buffer);
    const changed = [...back].filter((bits, i) => bits !== i && !Number.isNaN(values[i]));
    expect(changed).toEqual([]);
    expect(values.every((value) => Object.is(roundTo(dtype, value), value))).toBe(true);
  });

  it('rounds to the nearest neighbour, and to the even one between two', () => {
    const finite = [...decode(dtype, everyHalf)]
      .filter(Number.isFinite)
      .filter((value) => value >= 0 && !Object.is(value, -0));
    for (let bits = 0; bits + 1 < finite.length; bits++) {
      const [low = 0, high = 0] = [finite[bits], finite[bits + 1]];
      const middle = (low + high) / 2;
      const wrong = [
        roundTo(dtype, middle) === (bits % 2 === 0 ? low : high),
        roundTo(dtype, middle * (1 + 2 ** -50)) === high,
        roundTo(dtype, -middle * (1 - 2 ** -50)) === -low,
        ulp(dtype, low) === high - low,
      ].includes(false);
      if (wrong) throw new Error(`${dtype} between ${low} and ${high}`);
    }
  });

  it('overflows to infinity half a step above the largest value', () => {
    const largest = Math.max(...[...decode(dtype, everyHalf)].filter(Number.isFinite));
    const half = ulp(dtype, largest) / 2;
    expect(roundTo(dtype, largest + half)).toBe(Infinity);
    expect(roundTo(dtype, largest + half * 0.999)).toBe(largest);
  });
});

it('knows a few values by heart', () => {
  expect(roundTo('BF16', Math.PI)).toBe(3.140625);
  expect(roundTo('F16', Math.PI)).toBe(3.140625);
  expect(roundTo('F16', 65_504)).toBe(65_504);
  expect(roundTo('F16', 2 ** -24)).toBe(2 ** -24);
  expect(roundTo('F16', 2 ** -25)).toBe(0);
  expect(ulp('F32', 1)).toBe(2 ** -23);
  expect(ulp('F64', 1)).toBe(2 ** -52);
  expect([...encode('BF16', [Number.NaN, 1])]).toEqual([0xc0, 0x7f, 0x80, 0x3f]);
});
