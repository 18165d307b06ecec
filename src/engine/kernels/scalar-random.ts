import type { Kernels, Pointer } from './kernels.js';
import { bitsOf, brainReader, SIGN_FREE } from './scalar-bits.js';

type RandomKernels = Pick<
  Kernels,
  'drawBits' | 'drawMask' | 'drawMoreBits' | 'rankMaskBF16' | 'keepRankedF32' | 'keepDrawnF32' | 'keepDrawnF64'
>;

/** The twins of the kernels that draw random masks. */
export function scalarRandomKernels(memory: WebAssembly.Memory): RandomKernels {
  const view = (): DataView => new DataView(memory.buffer);
  const subtract: Record<4 | 8, (x: Pointer, base: Pointer) => void> = {
    4: (x, base) => view().setFloat32(x, view().getFloat32(x, true) - view().getFloat32(base, true), true),
    8: (x, base) => view().setFloat64(x, view().getFloat64(x, true) - view().getFloat64(base, true), true),
  };
  const keepDrawn = (bytes: 4 | 8): RandomKernels['keepDrawnF32'] => {
    return (x, base, draws, probability, key, model, first, n) => {
      const more = drawsOf(key, model, first, n, 1);
      for (let i = 0; i < n; i++) {
        const bits = view().getUint16(draws + 2 * i, true);
        const draw = bits * 65_536 + (more[i] ?? 0);
        if (draw < probability >>> 0) subtract[bytes](x + bytes * i, base + bytes * i);
        else new Uint8Array(memory.buffer, x + bytes * i, bytes).fill(0);
      }
    };
  };
  const brain = brainReader(memory);
  const rank = (
    bits: readonly number[],
    draws: Pointer,
    settings: Pointer,
    key: bigint,
    model: number,
    first: number,
    visit: (i: number, limit: number, isKept: boolean) => void,
  ): void => {
    const [low, step] = [view().getFloat64(settings, true), view().getFloat64(settings + 8, true)];
    const more = drawsOf(key, model, first, bits.length, 1);
    const ascending = Array.from(bits.keys()).sort((a, b) => (bits[a] ?? 0) - (bits[b] ?? 0) || b - a);
    ascending.forEach((i, at) => {
      const limit = Math.min(2 ** 32 - 1, Math.floor(low + at * step + 0.5));
      const draw = view().getUint16(draws + 2 * i, true) * 65_536 + (more[i] ?? 0);
      visit(i, limit, draw < limit);
    });
  };
  return {
    drawBits: (target, key, model, first, n) => {
      const draws = drawsOf(key, model, first, Math.ceil(n / 32) * 32, 0);
      draws.forEach((draw, i) => view().setUint16(target + 2 * i, draw, true));
    },
    drawMask: (target, probability, key, model, first, n) => {
      const bytes = Math.ceil(n / 64) * 8;
      const [upper, lower] = [0, 1].map((stream) => drawsOf(key, model, first, 8 * bytes, stream));
      for (let byte = 0; byte < bytes; byte++) {
        let bits = 0;
        for (let bit = 0; bit < 8; bit++) {
          const i = 8 * byte + bit;
          const draw = (upper?.[i] ?? 0) * 65_536 + (lower?.[i] ?? 0);
          if (draw < probability >>> 0) bits |= 1 << bit;
        }
        view().setUint8(target + byte, bits);
      }
    },
    drawMoreBits: (key, model, element) => drawsOf(key, model, element, 1, 1)[0] ?? 0,
    keepRankedF32: (x, base, draws, settings, key, model, first) => {
      const n = view().getUint32(settings + 24, true);
      for (let i = 0; i < n; i++) subtract[4](x + 4 * i, base + 4 * i);
      const bits = Array.from({ length: n }, (_unused, i) => keyOf(view().getFloat32(x + 4 * i, true)));
      rank(bits, draws, settings, key, model, first, (i, limit, isKept) => {
        const delta = view().getFloat32(x + 4 * i, true);
        if (!isKept || delta === 0) view().setFloat32(x + 4 * i, 0, true);
        else if (view().getUint32(settings + 16, true) !== 0) {
          view().setFloat32(x + 4 * i, delta * (2 ** 32 / limit), true);
        }
      });
    },
    rankMaskBF16: (mask, x, base, draws, settings, key, model, first) => {
      const n = view().getUint32(settings + 24, true);
      const bits = Array.from({ length: n }, (_unused, i) => keyOf(brain(x, i) - brain(base, i)));
      const bytes = new Uint8Array(memory.buffer, mask, Math.ceil(n / 8)).fill(0);
      rank(bits, draws, settings, key, model, first, (i, _limit, isKept) => {
        if (isKept && bits[i] !== 0) bytes[i >> 3] = (bytes[i >> 3] ?? 0) | (1 << (i & 7));
      });
    },
    keepDrawnF32: keepDrawn(4),
    keepDrawnF64: keepDrawn(8),
  };
}

/** A magnitude's bits, the same for all NaN. */
function keyOf(delta: number): number {
  return Math.min(bitsOf(delta) & SIGN_FREE, 0x7fc0_0000);
}

/** The 16 bits that each element of a run has in a stream. */
function drawsOf(key: bigint, model: number, first: number, n: number, stream: number): number[] {
  const words = new Map<number, number[]>();
  return Array.from({ length: n }, (_unused, i) => {
    const element = first + i;
    const block = 4 * Math.floor(element / 32) + (element % 4);
    const counter = [block % 2 ** 32, Math.floor(block / 2 ** 32), model, stream];
    const drawn = words.get(block) ?? philox(counter, [Number(key & 0xffff_ffffn), Number(key >> 32n)]);
    words.set(block, drawn);
    const word = drawn[Math.floor(element / 8) % 4] ?? 0;
    return Math.floor(element / 4) % 2 === 1 ? word >>> 16 : word & 0xffff;
  });
}

/** Philox 4x32-10. */
function philox(counter: readonly number[], key: readonly number[]): number[] {
  let [c0 = 0, c1 = 0, c2 = 0, c3 = 0] = counter;
  let [k0 = 0, k1 = 0] = key;
  for (let round = 0; round < 10; round++) {
    const a = BigInt(c0 >>> 0) * 0xd251_1f53n;
    const b = BigInt(c2 >>> 0) * 0xcd9e_8d57n;
    [c0, c1, c2, c3] = [high(b) ^ c1 ^ k0, low(b), high(a) ^ c3 ^ k1, low(a)];
    k0 = (k0 + 0x9e37_79b9) | 0;
    k1 = (k1 + 0xbb67_ae85) | 0;
  }
  return [c0, c1, c2, c3];
}

function high(product: bigint): number {
  return Number(product >> 32n);
}

function low(product: bigint): number {
  return Number(product & 0xffff_ffffn);
}
