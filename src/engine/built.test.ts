import { expect, test } from '@jest/globals';

import { builtUrl } from './built.js';

test.each([
  ['./kernels.wasm', 'file:///a/src/engine/kernels/kernels.ts', 'file:///a/dist/src/engine/kernels/kernels.wasm'],
  ['./inspect.worker.js', 'file:///a/src/engine/x.ts', 'file:///a/dist/src/engine/inspect.worker.js'],
  ['./inspect.worker.ts', 'file:///a/src/engine/x.ts', 'file:///a/dist/src/engine/inspect.worker.js'],
  ['../y.js', 'file:///usr/src/app/src/engine/x.ts', 'file:///usr/src/app/dist/src/y.js'],
  ['./kernels.wasm', 'file:///usr/src/app/dist/src/engine/x.js', 'file:///usr/src/app/dist/src/engine/kernels.wasm'],
])('%s beside %s is %s', (relative, base, url) => {
  expect(builtUrl(relative, base).href).toBe(url);
});
