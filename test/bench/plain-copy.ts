import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';

const BLOCK_BYTES = 1024 * 1024;

/**
 * What a merge is measured against: one thread that reads the merge's input files and writes as many bytes as the merge
 * does, with read(2) and write(2) in blocks of 1 MiB. Plain descriptors, so neither reflink nor copy_file_range.
 * @returns seconds
 */
export function plainCopy(inputs: readonly string[], output: string, outputBytes: number): number {
  const block = Buffer.alloc(BLOCK_BYTES);
  rmSync(output, { force: true });
  const begun = performance.now();
  const target = openSync(output, 'w');
  let written = 0;
  for (const input of inputs) {
    const source = openSync(input, 'r');
    for (;;) {
      const count = readSync(source, block, 0, BLOCK_BYTES, null);
      if (count === 0) break;
      // Writes are spread over the first input: each of its blocks is read, then written.
      if (written < outputBytes) written += writeSync(target, block, 0, Math.min(count, outputBytes - written));
    }
    closeSync(source);
  }
  closeSync(target);
  return (performance.now() - begun) / 1000;
}
