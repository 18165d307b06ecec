import { describe, expect, test } from '@jest/globals';
import { expectDrawn } from '../../test/support/drawn-section.js';
import { isTerminal, liveStates, mergeStates, next, stateDiagram, statesBefore } from './merge-state.js';

describe('the life of a merge', () => {
  test('goes from queued to succeeded', () => {
    const path = (['start', 'finalize', 'succeed'] as const).reduce<string[]>(
      (states, happening) => [...states, next(states.at(-1) as (typeof mergeStates)[number], happening) ?? 'nowhere'],
      ['queued'],
    );
    expect(path).toEqual(['queued', 'running', 'finalizing', 'succeeded']);
  });

  test('a success is final, a failure and a cancellation may be tried again', () => {
    expect(next('succeeded', 'retry')).toBeUndefined();
    expect(next('succeeded', 'cancel')).toBeUndefined();
    expect(statesBefore('retry')).toEqual(['failed', 'cancelled']);
  });

  test('every live state can fail and be cancelled, and only live ones', () => {
    expect(statesBefore('cancel')).toEqual(liveStates);
    expect(statesBefore('fail')).toEqual(liveStates);
    expect(mergeStates.filter(isTerminal)).toEqual(['succeeded', 'failed', 'cancelled']);
  });

  test('a version appears only out of finalizing', () => {
    expect(statesBefore('succeed')).toEqual(['finalizing']);
  });

  test('the diagram in ARCHITECTURE.md is drawn from the table (UPDATE_DOCS=1 draws it again)', () => {
    expectDrawn('ARCHITECTURE.md', 'merge-states', `\`\`\`mermaid\n${stateDiagram()}\n\`\`\``);
  });
});
