import { expect, it } from '@jest/globals';
import { methodNames } from '../../recipe/index.js';
import type { MergeOperation } from './method.js';
import { methodOf } from './registry.js';

it.each(methodNames)('carries out %s', (method) => {
  const operation = { method, tensor: '', shape: [], settings: {}, inputSettings: [] } as unknown as MergeOperation;
  expect(methodOf(operation).passes).toBeInstanceOf(Function);
});
