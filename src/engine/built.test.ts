import { expect, test } from '@jest/globals';

import { builtUrl } from './built.js';

test.each([
  ['kernels/kernels.wasm', 'file:///a/src/engine/built.ts', 'file:///a/dist/src/engine/kernels/kernels.wasm'],
  ['x/y.worker.js', 'file:///usr/src/app/src/engine/built.ts', 'file:///usr/src/app/dist/src/engine/x/y.worker.js'],
  [
    'x/y.worker.js',
    'file:///usr/src/app/dist/src/engine/built.js',
    'file:///usr/src/app/dist/src/engine/x/y.worker.js',
  ],
  ['x/y.worker.js', 'file:///a/dist/src/chunks/chunk-1.js', 'file:///a/dist/src/engine/x/y.worker.js'],
])('%s is found from %s', (path, base, url) => {
  expect(builtUrl(path, base).href).toBe(url);
});
