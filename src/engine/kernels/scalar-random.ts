import type { Kernels, Pointer } from './kernels.js';

type RandomKernels = Pick<
  Kernels,
  'drawBits' | 'drawMask' | 'drawMoreBits' | 'keepRankedF32' | 'keepDrawnF32' | 'keepDrawnF64'
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
      for (let i = 0; i < n; i++) {
        const bits = view().getUint16(draws + 2 * i, true);
        const draw = bits * 65_536 + halfOf(key, model, first + i, 1);
        if (draw < probability >>> 0) subtract[bytes](x + bytes * i, base + bytes * i);
        else new Uint8Array(memory.buffer, x + bytes * i, bytes).fill(0);
      }
    };
  };
  return {
    drawBits: (target, key, model, first, n) => {
      for (let i = 0; i < Math.ceil(n / 32) * 32; i++) {
        view().setUint16(target + 2 * i, halfOf(key, model, first + i, 0), true);
      }
    },
    drawMask: (target, probability, key, model, first, n) => {
      for (let byte = 0; byte < Math.ceil(n / 64) * 8; byte++) {
        let bits = 0;
        for (let bit = 0; bit < 8; bit++) {
          const element = first + 8 * byte + bit;
          const draw = halfOf(key, model, element, 0) * 65_536 + halfOf(key, model, element, 1);
          if (draw < probability >>> 0) bits |= 1 << bit;
        }
        view().setUint8(target + byte, bits);
      }
    },
    drawMoreBits: (key, model, element) => halfOf(key, model, element, 1),
    keepRankedF32: (x, base, draws, settings, key, model, first, n) => {
      const [low, step] = [view().getFloat64(settings, true), view().getFloat64(settings + 8, true)];
      for (let i = 0; i < n; i++) subtract[4](x + 4 * i, base + 4 * i);
      const bits = Array.from({ length: n }, (_unused, i) => view().getUint32(x + 4 * i, true) & 0x7fff_ffff);
      const ascending = Array.from(bits.keys()).sort((a, b) => (bits[a] ?? 0) - (bits[b] ?? 0) || b - a);
      ascending.forEach((i, rank) => {
        const limit = Math.min(2 ** 32 - 1, Math.floor(low + rank * step + 0.5));
        const draw = view().getUint16(draws + 2 * i, true) * 65_536 + halfOf(key, model, first + i, 1);
        const delta = view().getFloat32(x + 4 * i, true);
        if (draw >= limit || delta === 0) view().setFloat32(x + 4 * i, 0, true);
        else if (view().getUint32(settings + 16, true) !== 0) {
          view().setFloat32(x + 4 * i, delta * (2 ** 32 / limit), true);
        }
      });
    },
    keepDrawnF32: keepDrawn(4),
    keepDrawnF64: keepDrawn(8),
  };
}

/** The 16 bits that an element has in a stream. */
function halfOf(key: bigint, model: number, element: number, stream: number): number {
  const block = 4 * Math.floor(element / 32) + (element % 4);
  const counter = [block % 2 ** 32, Math.floor(block / 2 ** 32), model, stream];
  const word = philox(counter, [Number(key & 0xffff_ffffn), Number(key >> 32n)])[Math.floor(element / 8) % 4] ?? 0;
  return Math.floor(element / 4) % 2 === 1 ? word >>> 16 : word & 0xffff;
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
