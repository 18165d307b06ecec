// Every export of kernels.wasm. Pointers and counts are in bytes and elements; buffers are 16-byte aligned and padded to
// a multiple of 16 elements, so elementwise kernels may run past `n`; what they leave there is never read.
export * from './convert';
export * from './arithmetic';
export * from './nearswap';
export * from './statistics';
export * from './selection';
export { countWindowF32, countScatteredF32, countWindowBF16, countBandBF16 } from './windows';
export * from './consensus';
export * from './masks';
export * from './pair';
export * from './sums';
export * from './columns';
export * from './agreement';
export { varianceF32, varianceF64, variancePairBF16, keepWhereF32, keepWhereF64 } from './variance';
export * from './distance';
export * from './special';
export { drawBits, drawMask, drawMoreBits, keepDrawnF32, keepDrawnF64 } from './random';
export * from './divergence';
export * from './fusion';
export { keepRankedF32, rankMaskBF16 } from './rank';
export * from './report';
export * from './transcendental';
