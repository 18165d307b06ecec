import { describe, expect, it } from '@jest/globals';
import { lineageTree } from './lineage-tree.js';

const node = (versionId: string, method: string | null) => ({ versionId, name: `team/${versionId}@1`, method });
const edge = (parent: string, child: string, role: 'base' | 'model' = 'model') => ({ parent, child, role });

describe('lineageTree', () => {
  it('draws parents below their child, says which is the base, and shows again what two of them share', () => {
    const nodes = [node('raw', null), node('fine', null), node('mix', 'linear'), node('top', 'slerp')];
    const edges = [edge('raw', 'mix'), edge('fine', 'mix'), edge('raw', 'top', 'base'), edge('mix', 'top')];
    expect(lineageTree({ version: 'top', nodes, edges }).split('\n')).toEqual([
      '  team/top@1 (slerp)',
      '  ├─ team/raw@1, the base',
      '  └─ team/mix@1 (linear)',
      '     ├─ team/raw@1',
      '     └─ team/fine@1',
      '',
    ]);
  });
});
