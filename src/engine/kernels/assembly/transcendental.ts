// Compiled here so that every Node version and processor computes the same bits; `Math` of the host does not.

export function acos(x: f64): f64 {
  return Math.acos(x);
}
export function cos(x: f64): f64 {
  return Math.cos(x);
}
export function exp(x: f64): f64 {
  return Math.exp(x);
}
export function sin(x: f64): f64 {
  return Math.sin(x);
}
