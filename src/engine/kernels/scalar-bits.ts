// How the scalar twins convert between stored dtypes: bits in, bits out.

import type { Pointer } from './kernels.js';

export function halfToSingle(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 31) return ((half & 0x8000) << 16) | 0x7f80_0000 | (fraction << 13);
  const value = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return bitsOf(sign === -1 ? -value : value);
}

const scratch = new DataView(new ArrayBuffer(4));

export function bitsOf(single: number): number {
  scratch.setFloat32(0, single);
  return scratch.getUint32(0);
}

/** The f32 that has these bits. */
export function singleOf(bits: number): number {
  scratch.setInt32(0, bits);
  return scratch.getFloat32(0);
}

/** The magnitude's bits of an f32. */
export const SIGN_FREE = 0x7fff_ffff;

/** Reads element `i` of bf16 as they are stored at `x`. */
export function brainReader(memory: WebAssembly.Memory): (x: Pointer, i: number) => number {
  return (x, i) => singleOf(new DataView(memory.buffer).getUint16(x + 2 * i, true) << 16);
}

export function singleToBrain(bits: number): number {
  if ((bits & 0x7fff_ffff) > 0x7f80_0000) return 0x7fc0;
  const rest = bits & 0xffff;
  const kept = bits >>> 16;
  const isUp = rest > 0x8000 || (rest === 0x8000 && (kept & 1) === 1);
  return isUp ? kept + 1 : kept;
}

export function singleToHalf(x: number): number {
  if (Number.isNaN(x)) return 0x7e00;
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(x);
  if (magnitude >= 65520) return sign | 0x7c00;
  const exponent = Math.max(-14, Math.floor(Math.log2(magnitude)));
  const unit = 2 ** (exponent - 10);
  const steps = magnitude / unit;
  const floor = Math.floor(steps);
  const rest = steps - floor;
  const rounded = rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
  // A carry out of the fraction goes into the exponent by itself: the encoding is monotonic.
  return sign | (exponent === -14 ? rounded : ((exponent + 14) << 10) + rounded);
}

export function toOdd(x: number): number {
  const nearest = Math.fround(x);
  let bits = bitsOf(nearest);
  if (Number.isNaN(x) || nearest === x) return bits;
  if (Math.abs(nearest) > Math.abs(x)) bits -= 1;
  return (bits | 1) >>> 0;
}
