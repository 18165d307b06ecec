import { createHash } from 'node:crypto';

const WORD = 0xffff_ffffn;

/** Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011), written from the paper. */
export function philox(counter: readonly bigint[], key: readonly bigint[]): bigint[] {
  let [x0 = 0n, x1 = 0n, x2 = 0n, x3 = 0n] = counter;
  for (let round = 0n; round < 10n; round++) {
    const [a, b] = [x0 * 0xd251_1f53n, x2 * 0xcd9e_8d57n];
    const k0 = ((key[0] ?? 0n) + round * 0x9e37_79b9n) & WORD;
    const k1 = ((key[1] ?? 0n) + round * 0xbb67_ae85n) & WORD;
    [x0, x1, x2, x3] = [(b >> 32n) ^ x1 ^ k0, b & WORD, (a >> 32n) ^ x3 ^ k1, a & WORD];
  }
  return [x0, x1, x2, x3];
}

/** The draws in [0, 1) of the first `elements` elements of a tensor, for one of its models: 32 bits each. */
export function drawsOf(seed: number, tensor: string, model: number, elements: number): Float64Array {
  const digest = createHash('sha256').update(`${seed}\0${tensor}`).digest();
  const key = [BigInt(digest.readUInt32LE(0)), BigInt(digest.readUInt32LE(4))];
  const draws = new Float64Array(elements);
  for (let group = 0; group * 32 < elements; group++) {
    const blocks = [0, 1, 2, 3].map((lane) => {
      const streams = [0n, 1n].map((stream) => philox([BigInt(4 * group + lane), 0n, BigInt(model), stream], key));
      return streams.map((words) => words.map(Number));
    });
    for (let e = 0; e < 32 && group * 32 + e < elements; e++) {
      const [word, half, lane] = [e >> 3, (e >> 2) & 1, e & 3];
      const [upper = 0, lower = 0] = (blocks[lane] ?? []).map((words) => ((words[word] ?? 0) >>> (16 * half)) & 0xffff);
      draws[group * 32 + e] = (upper * 65_536 + lower) / 2 ** 32;
    }
  }
  return draws;
}
