/**
 * The URL of a built file that lies beside the module whose `import.meta.url` is given: a worker, or the kernels.
 *
 * Under jest the modules are the TypeScript sources, and neither a worker thread nor WebAssembly can load those: a base
 * of `<root>/src/...ts` therefore leads to the same place under `<root>/dist/src`, and `.ts` becomes `.js`. From the
 * build itself the address is resolved as it is.
 *
 * @param relative for example `./kernels.wasm` or `./inspect.worker.js`
 */
export function builtUrl(relative: string, base: string): URL {
  const url = new URL(relative, base);
  if (!base.endsWith('.ts')) return url;
  // The last /src/, because the checkout itself may lie below one (/usr/src/app).
  const at = url.pathname.lastIndexOf('/src/');
  if (at < 0) return url;
  url.pathname = `${url.pathname.slice(0, at)}/dist${url.pathname.slice(at)}`.replace(/\.ts$/, '.js');
  return url;
}
