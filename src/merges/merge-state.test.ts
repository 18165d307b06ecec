import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { isTerminal, liveStates, mergeStates, next, stateDiagram, statesBefore } from './merge-state.js';

const architecturePath = resolve(import.meta.dirname, '../../ARCHITECTURE.md');
const markers = /(<!-- merge-states:begin[^>]*-->\n)([\s\S]*?)(<!-- merge-states:end -->)/;

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
    const page = readFileSync(architecturePath, 'utf8');
    const drawn = `\`\`\`mermaid\n${stateDiagram()}\n\`\`\`\n`;
    expect(page).toMatch(markers);
    // eslint-disable-next-line no-restricted-properties -- not a setting of the service
    if (process.env['UPDATE_DOCS']) writeFileSync(architecturePath, page.replace(markers, `$1${drawn}$3`));
    else expect(markers.exec(page)?.[2]).toBe(drawn);
  });
});
