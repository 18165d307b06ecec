import type { FloatDtype } from '../../src/engine/checkpoint/dtype.js';

// In jest's contexts every look at a global costs a microsecond, and these run millions of times.
const { abs, floor, fround, max, sign: signOf } = Math;
const { isFinite, isNaN } = Number;
const { is: isSame } = Object;
const INFINITE = Infinity;

/** Significant bits, exponent of the smallest normal number, and of the largest finite one. */
const formats = {
  BF16: { precision: 8, smallest: -126, largest: 127, bytes: 2 },
  F16: { precision: 11, smallest: -14, largest: 15, bytes: 2 },
  F32: { precision: 24, smallest: -126, largest: 127, bytes: 4 },
  F64: { precision: 53, smallest: -1022, largest: 1023, bytes: 8 },
} as const satisfies Record<FloatDtype, object>;

export function elementBytes(dtype: FloatDtype): number {
  return formats[dtype].bytes;
}

const scratch = new DataView(new ArrayBuffer(8));

/** floor(log2 |value|) of a finite number other than zero. */
function exponentOf(value: number): number {
  scratch.setFloat64(0, value);
  const biased = (scratch.getUint16(0) >> 4) & 0x7ff;
  return biased === 0 ? exponentOf(value * 2 ** 54) - 54 : biased - 1023;
}

/** The distance between neighbours of that type at |value|; of subnormals, between them. */
export function ulp(dtype: FloatDtype, value: number): number {
  const { precision, smallest } = formats[dtype];
  if (!isFinite(value)) return Number.NaN;
  const exponent = value === 0 ? smallest : max(smallest, exponentOf(value));
  return 2 ** (exponent - precision + 1);
}

/** The nearest value of that type, to even between two; from f64 in one step, so never rounded twice. */
export function roundTo(dtype: FloatDtype, value: number): number {
  if (dtype === 'F64' || value === 0 || !isFinite(value)) return value;
  if (dtype === 'F32') return fround(value);
  const step = ulp(dtype, value);
  // A power of two divides exactly, and the quotient has few enough digits before its point.
  const quotient = value / step;
  const below = floor(quotient);
  const rest = quotient - below;
  const isUp = rest > 0.5 || (rest === 0.5 && below % 2 !== 0);
  const rounded = (isUp ? below + 1 : below) * step;
  const { precision, largest } = formats[dtype];
  const limit = (2 - 2 ** (1 - precision)) * 2 ** largest;
  return abs(rounded) > limit ? signOf(rounded) * INFINITE : rounded === 0 && value < 0 ? -0 : rounded;
}

export function decode(dtype: FloatDtype, bytes: Uint8Array): Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = elementBytes(dtype);
  return Float64Array.from({ length: bytes.byteLength / size }, (_item, i) => readElement(dtype, view, i * size));
}

function readElement(dtype: FloatDtype, view: DataView, at: number): number {
  if (dtype === 'F64') return view.getFloat64(at, true);
  if (dtype === 'F32') return view.getFloat32(at, true);
  const bits = view.getUint16(at, true);
  if (dtype === 'F16') return decodeHalf(bits);
  scratch.setUint32(0, bits << 16);
  return scratch.getFloat32(0);
}

function decodeHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * INFINITE : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** Rounds each value once. NaN becomes the quiet NaN that the engine writes too. */
export function encode(dtype: FloatDtype, values: ArrayLike<number>): Uint8Array {
  const size = elementBytes(dtype);
  const bytes = new Uint8Array(values.length * size);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) writeElement(dtype, view, i * size, roundTo(dtype, values[i] ?? 0));
  return bytes;
}

function writeElement(dtype: FloatDtype, view: DataView, at: number, value: number): void {
  if (dtype === 'F64') view.setFloat64(at, value, true);
  else if (dtype === 'F32') view.setFloat32(at, value, true);
  else if (dtype === 'F16') view.setUint16(at, encodeHalf(value), true);
  else {
    scratch.setFloat32(0, value);
    view.setUint16(at, isNaN(value) ? 0x7fc0 : scratch.getUint16(0), true);
  }
}

/** `value` has been rounded to f16 already. */
function encodeHalf(value: number): number {
  if (isNaN(value)) return 0x7e00;
  const sign = isSame(value, -0) || value < 0 ? 0x8000 : 0;
  const magnitude = abs(value);
  if (magnitude === INFINITE) return sign | 0x7c00;
  if (magnitude < 2 ** -14) return sign | (magnitude * 2 ** 24);
  const exponent = exponentOf(magnitude);
  return sign | ((exponent + 15) << 10) | (magnitude * 2 ** (10 - exponent) - 1024);
}
