import { expect, it } from '@jest/globals';
import { methodNames, methods } from '../../recipe/index.js';
import type { MergeOperation } from './method.js';
import { methodOf } from './registry.js';

it.each(methodNames)('carries out %s exactly if recipes are told so', (method) => {
  const operation = { method, settings: {}, inputSettings: [] } as unknown as MergeOperation;
  if (methods[method].executable) expect(methodOf(operation).passes).toBeInstanceOf(Function);
  else expect(() => methodOf(operation)).toThrow(method);
});
