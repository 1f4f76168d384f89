// A logarithm and an exponential function that give the same bits on every platform. IEEE 754 fixes
// + − × ÷ and the square root to the last bit, but nothing else: Math.pow differs between releases
// of Node, and Math.log and Math.exp differ between Node and Chromium.

/**
 * Returns the natural logarithm of a finite number above 0, to within about 2 units in the last
 * place.
 */
export function log(x: number): number {
  let exponent = 0;
  let mantissa = x;
  for (; mantissa > ROOT_2; exponent++) mantissa /= 2;
  for (; mantissa < ROOT_2 / 2; exponent--) mantissa *= 2;
  // 2 artanh(s) = 2 (s + s³/3 + s⁵/5 + …) = ln((1 + s) / (1 − s)), |s| at most 0.172.
  const s = (mantissa - 1) / (mantissa + 1);
  const square = s * s;
  let sum = 0;
  for (let n = LOG_TERMS; n >= 1; n -= 2) sum = sum * square + 1 / n;
  return exponent * LN_2 + 2 * s * sum;
}

/**
 * Returns e to the power of a number: 0 for numbers far below zero, Infinity for numbers far above.
 */
export function exp(x: number): number {
  if (x > 709.78) return Number.POSITIVE_INFINITY;
  if (x < -745.13) return 0;
  const doublings = Math.round(x / LN_2);
  // LN_2 is subtracted in two parts, to keep precision when x is large.
  const rest = x - doublings * LN_2_HIGH - doublings * LN_2_LOW;
  // Taylor series; |rest| is at most 0.347.
  let sum = 1;
  for (let n = EXP_TERMS; n >= 1; n--) sum = 1 + (sum * rest) / n;
  for (let left = doublings; left > 0; left--) sum *= 2;
  for (let left = doublings; left < 0; left++) sum /= 2;
  return sum;
}

const LN_2 = Math.LN2;
const LN_2_HIGH = 0.6931471803691238;
const LN_2_LOW = 1.9082149292705877e-10;
const ROOT_2 = Math.SQRT2;
/** The highest power of each series that still matters in 53 bits. */
const LOG_TERMS = 23;
const EXP_TERMS = 17;
