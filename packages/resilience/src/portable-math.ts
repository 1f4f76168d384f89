// A logarithm and an exponential function built from the four basic operations, whose results IEEE
// 754 defines to the last bit. Math.log and Math.exp differ between engines, so two nodes could
// choose differently, and a recorded simulation could run differently.

/** Returns e^-x for x of 0 or more, by its series. */
export function decay(x: number): number {
  if (x > 700) return 0;
  // Most calls are a few milliseconds apart; for these, three terms are exact to twelve digits.
  if (x < 1e-4) return 1 - x + (x * x) / 2;
  let halvings = 0;
  let small = x;
  for (; small > 0.5; halvings++) small /= 2;
  let sum = 1;
  let term = 1;
  for (let n = 1; n <= 12; n++) {
    term *= small / n;
    sum += term;
  }
  let result = 1 / sum;
  for (; halvings > 0; halvings--) result *= result;
  return result;
}

/**
 * Returns the natural logarithm of x by the series of atanh. x must be above 0 and finite;
 * otherwise this does not return. `rendezvous` uses it: other results would move keys between
 * addresses.
 */
export function logarithm(x: number): number {
  let exponent = 0;
  let mantissa = x;
  for (; mantissa < 0.75; exponent--) mantissa *= 2;
  for (; mantissa >= 1.5; exponent++) mantissa /= 2;
  const t = (mantissa - 1) / (mantissa + 1);
  const square = t * t;
  let power = t;
  let sum = 0;
  for (let n = 1; n <= 25; n += 2) {
    sum += power / n;
    power *= square;
  }
  return 2 * sum + exponent * LN2;
}

// biome-ignore lint/suspicious/noApproximativeNumericConstant: Math.LN2 may differ in its last bit.
const LN2 = 0.693_147_180_559_945_3;
