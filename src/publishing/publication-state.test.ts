import { expect, test } from '@jest/globals';
import { expectDrawn } from '../../test/support/drawn-section.js';
import { isTerminal, next, publicationStates, stateDiagram, statesBefore, workStates } from './publication-state.js';

test('every life ends, and only failed and cancelled ones begin again', () => {
  for (const state of publicationStates) {
    const ends = (['succeed', 'fail', 'cancel', 'release'] as const).some((happening) => next(state, happening));
    expect({ state, ends: ends || isTerminal(state) || next(state, 'upload') !== undefined }).toEqual({
      state,
      ends: true,
    });
  }
  expect(statesBefore('retry')).toEqual(['failed', 'cancelled']);
});

test('once the commit may be on the Hub, nothing is called off', () => {
  expect(statesBefore('cancel')).toEqual(['waiting', 'queued', 'planning', 'uploading']);
  expect(workStates.filter((state) => isTerminal(state))).toEqual([]);
});

test('docs/publishing.md shows these states', () => {
  expectDrawn('docs/publishing.md', 'publication-states', `\`\`\`mermaid\n${stateDiagram()}\n\`\`\``);
});
