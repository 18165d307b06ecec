import { expect, it } from '@jest/globals';
import { methodNames, methods } from '../../recipe/index.js';
import { methodOf } from './registry.js';

it.each(methodNames)('carries out %s exactly if recipes are told so', (name) => {
  if (methods[name].executable) expect(methodOf(name).passes).toBeInstanceOf(Function);
  else expect(() => methodOf(name)).toThrow(name);
});
