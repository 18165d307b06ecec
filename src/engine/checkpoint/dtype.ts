/** Every element type that the safetensors format knows, by its spelling there, with its size and PyTorch's name for it. */
const table = {
  F64: { bits: 64, torch: 'float64' },
  F32: { bits: 32, torch: 'float32' },
  F16: { bits: 16, torch: 'float16' },
  BF16: { bits: 16, torch: 'bfloat16' },
  F8_E4M3: { bits: 8, torch: 'float8_e4m3fn' },
  F8_E5M2: { bits: 8, torch: 'float8_e5m2' },
  F8_E4M3FNUZ: { bits: 8, torch: 'float8_e4m3fnuz' },
  F8_E5M2FNUZ: { bits: 8, torch: 'float8_e5m2fnuz' },
  F8_E8M0: { bits: 8, torch: 'float8_e8m0fnu' },
  F6_E2M3: { bits: 6, torch: 'float6_e2m3fn' },
  F6_E3M2: { bits: 6, torch: 'float6_e3m2fn' },
  F4: { bits: 4, torch: 'float4_e2m1fn_x2' },
  C64: { bits: 64, torch: 'complex64' },
  I64: { bits: 64, torch: 'int64' },
  U64: { bits: 64, torch: 'uint64' },
  I32: { bits: 32, torch: 'int32' },
  U32: { bits: 32, torch: 'uint32' },
  I16: { bits: 16, torch: 'int16' },
  U16: { bits: 16, torch: 'uint16' },
  I8: { bits: 8, torch: 'int8' },
  U8: { bits: 8, torch: 'uint8' },
  BOOL: { bits: 8, torch: 'bool' },
} as const;

export type Dtype = keyof typeof table;

export const dtypes = Object.keys(table) as Dtype[];

const known = new Set<string>(dtypes);
const byTorchName = new Map<string, Dtype>(dtypes.map((dtype) => [table[dtype].torch, dtype]));

export function isDtype(text: string): text is Dtype {
  return known.has(text);
}

/** Bits of one element; below 8 for the packed types. */
export function dtypeBits(dtype: Dtype): number {
  return table[dtype].bits;
}

/** Bytes of `elements` elements. Undefined when they do not fill whole bytes, or are more than can be counted exactly. */
export function findByteLength(dtype: Dtype, elements: number): number | undefined {
  const { bits } = table[dtype];
  if (bits >= 8) return whole(elements * (bits / 8));
  const totalBits = whole(elements * bits);
  return totalBits === undefined ? undefined : whole(totalBits / 8);
}

function whole(value: number): number | undefined {
  return Number.isSafeInteger(value) ? value : undefined;
}

/** PyTorch's name, as recipes and config.json spell it: `bfloat16`. */
export function torchName(dtype: Dtype): string {
  return table[dtype].torch;
}

/** The type that a recipe or config.json names: `bfloat16` or `torch.bfloat16`. */
export function findDtype(name: string): Dtype | undefined {
  return byTorchName.get(name.replace(/^torch\./, ''));
}

/** The types that merge methods compute with. */
export const floatDtypes = ['F64', 'F32', 'F16', 'BF16'] as const satisfies readonly Dtype[];

export type FloatDtype = (typeof floatDtypes)[number];

export function isFloatDtype(dtype: Dtype): dtype is FloatDtype {
  return (floatDtypes as readonly Dtype[]).includes(dtype);
}
