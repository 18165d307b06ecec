// Loaded before a merge (`node --require`), in its worker threads too: what lies below a folder `counter-source` reads as
// values from a counter instead of what is in the file. So a model of any size takes no disk, and its numbers are the same
// in every run. Headers are real: they lie in the file's first bytes, of which the file's name says how many there are.
const fs = require('node:fs');
const { syncBuiltinESMExports } = require('node:module');

/** Each of these is a window into the pattern, at a place that the counter chooses. */
const WINDOW_BYTES = 64 * 1024;
const PATTERN_BYTES = 1024 * 1024;
const sources = new Map();
const { openSync, readSync, closeSync } = fs;

/** bf16 between 2^-7 and 2^-3, either sign: finite, and of ordinary size. */
const pattern = Buffer.alloc(PATTERN_BYTES + WINDOW_BYTES);
let state = 1;
for (let at = 0; at < pattern.length; at += 2) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  pattern[at] = state & 0xff;
  pattern[at + 1] = (state & 0x8000 ? 0xbc : 0x3c) | ((state >>> 8) & 1);
}

fs.openSync = (path, ...rest) => {
  const descriptor = openSync(path, ...rest);
  const found = /counter-source\/.*?(\d+)-(\d+)\.safetensors$/.exec(path);
  if (found) sources.set(descriptor, { seed: Number(found[1]), headerBytes: Number(found[2]) });
  return descriptor;
};

fs.closeSync = (descriptor) => {
  sources.delete(descriptor);
  closeSync(descriptor);
};

fs.readSync = (descriptor, target, offset, length, position) => {
  const source = sources.get(descriptor);
  if (source === undefined || position < source.headerBytes) {
    return readSync(descriptor, target, offset, length, position);
  }
  for (let done = 0; done < length;) {
    const at = position - source.headerBytes + done;
    const counter = Math.floor(at / WINDOW_BYTES);
    const inside = at % WINDOW_BYTES;
    const count = Math.min(length - done, WINDOW_BYTES - inside);
    const start = windowOf(counter, source.seed) + inside;
    target.set(pattern.subarray(start, start + count), offset + done);
    done += count;
  }
  return length;
};

/** Even, so that a value is not cut in two. */
function windowOf(counter, seed) {
  let x = Math.imul(counter + 1, 0x9e3779b1) ^ Math.imul(seed + 1, 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
  x = Math.imul(x ^ (x >>> 12), 0x297a2d39);
  return (((x ^ (x >>> 15)) >>> 0) % (PATTERN_BYTES / 2)) * 2;
}

syncBuiltinESMExports();
