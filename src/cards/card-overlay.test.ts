import { describe, expect, test } from '@jest/globals';
import { overlayPlace, overlayText } from './card-overlay.js';

const approval = { id: '', approvedBy: 'a`b', reason: 'x\n# y', createdAt: '2026-11-25T12:00:00.000Z' };

describe('the overlay of a card', () => {
  test('is a quotation of one line for each thing that is new', () => {
    expect(overlayText({ approval: null })).toBe('');
    expect(overlayText({ approval })).toBe('> **Licence approved** by ``a`b`` on 2026-11-25: x \\# y\n');
  });

  test.each([
    ['---\na: b\n---\n# T', '---\na: b\n---\n'],
    ['\uFEFF---\r\na: b\r\n---\r\n# T', '\uFEFF---\r\na: b\r\n---\r\n'],
    ['---\n---\nx', '---\n---\n'],
    ['---\na: b\n', ''],
    ['# T\n---\na\n---\n', ''],
    ['', ''],
  ])('of %j stands behind %j', (card, before) => {
    const bytes = Buffer.from(card);
    expect(bytes.subarray(0, overlayPlace(bytes)).toString()).toBe(before);
  });
});
