import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { uploadAnswerOf } from './upload-answer.js';

const oid = 'a'.repeat(64);
const answer = (object: object) => ({
  status: 200,
  headers: {},
  body: Buffer.from(JSON.stringify({ objects: [{ oid, ...object }] })),
});

test('an object without actions is there already', () => {
  expect(uploadAnswerOf(answer({ size: 10 }), 10)).toBeUndefined();
});

test('parts come in order of their numbers, however those are written', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 1_000 }),
      fc.boolean(),
      (parts, chunk, padded) => {
        const name = (number: number): string => (padded ? String(number).padStart(5, '0') : String(number));
        const header = Object.fromEntries(
          Array.from({ length: parts }, (_unused, at) => [name(parts - at), `https://store/${parts - at}`]),
        );
        const upload = { href: 'https://store/end', header: { chunk_size: String(chunk), ...header } };
        const bytes = parts * chunk - Math.floor(chunk / 2);
        const found = uploadAnswerOf(answer({ actions: { upload } }), bytes);
        expect(found?.parts?.urls).toEqual(Array.from({ length: parts }, (_unused, at) => `https://store/${at + 1}`));
      },
    ),
  );
});

test.each([
  ['a part too few', { chunk_size: '4', '1': 'https://store/1' }],
  ['a hole', { chunk_size: '4', '1': 'https://store/1', '3': 'https://store/3', '4': 'https://store/4' }],
  ['no size of parts', { chunk_size: '0', '1': 'https://store/1' }],
])('%s is not understood', (_name, header) => {
  const upload = { href: 'https://store/end', header };
  expect(() => uploadAnswerOf(answer({ actions: { upload } }), 10)).toThrow(/addresses for/);
});

test('what the Hub does not take, it says', () => {
  expect(() => uploadAnswerOf(answer({ error: { code: 422, message: 'too large' } }), 10)).toThrow(/too large/);
});
