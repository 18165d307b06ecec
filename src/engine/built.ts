/**
 * The URL of a built file of the engine: a worker, or the kernels.
 *
 * Whoever asks runs from the build, from a bundle in it or, under jest, as TypeScript, which neither a worker thread nor
 * WebAssembly can load. The files are always those below `dist/src/engine`.
 *
 * @param path below `src/engine`, for example `kernels/kernels.wasm`
 */
export function builtUrl(path: string, base = import.meta.url): URL {
  // The last /src/, because the checkout itself may lie below one (/usr/src/app).
  const parent = base.slice(0, base.lastIndexOf('/src/'));
  return new URL(`${base.endsWith('.ts') ? `${parent}/dist` : parent}/src/engine/${path}`);
}
