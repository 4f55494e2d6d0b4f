/**
 * Logarithm, power, sine and cosine from operations that IEEE 754 fixes to the last bit (+ − × ÷ √ and
 * floor). Math.log and its kin may differ between JavaScript engines, and then one seed would be two
 * runs. Relative errors are below 1e-14.
 */

const view = new DataView(new ArrayBuffer(8));
// ln 2 in two parts: the upper has so few bits that its product with a small integer is exact.
const ln2High = 0.6931471803691238;
const ln2Low = 1.9082149292705877e-10;

/** Natural logarithm of a positive normal number; -Infinity for 0. */
export function logarithm(value: number): number {
  if (value === 0) return Number.NEGATIVE_INFINITY;
  view.setFloat64(0, value);
  const upper = view.getUint32(0);
  let exponent = (upper >>> 20) - 1023;
  view.setUint32(0, (upper & 0xfffff) | 0x3ff00000);
  let fraction = view.getFloat64(0);
  if (fraction > Math.SQRT2) {
    fraction *= 0.5;
    exponent++;
  }
  // ln f = 2 artanh((f − 1) / (f + 1)), where the quotient is at most 0.172.
  const ratio = (fraction - 1) / (fraction + 1);
  const square = ratio * ratio;
  let series = 0;
  for (let power = 21; power >= 3; power -= 2) series = (series + 1 / power) * square;
  return exponent * ln2High + (2 * ratio * (1 + series) + exponent * ln2Low);
}

/** e to this power, which must be in (-700, 700). */
export function exponential(power: number): number {
  const doublings = Math.floor(power / (ln2High + ln2Low) + 0.5);
  const rest = power - doublings * ln2High - doublings * ln2Low;
  let sum = 1;
  for (let term = 16; term >= 1; term--) sum = 1 + (sum * rest) / term;
  view.setUint32(0, (doublings + 1023) << 20);
  view.setUint32(4, 0);
  return sum * view.getFloat64(0);
}

/** A positive base to any power whose result is a normal number. */
export function power(base: number, exponent: number): number {
  return exponential(exponent * logarithm(base));
}

/** Cosine of an angle in turns, [0, 1): full circles, so that reduction is exact. */
export function cosineOfTurns(turns: number): number {
  return sineOfTurns(turns + 0.25);
}

/** Sine of an angle in turns, [0, 2). */
export function sineOfTurns(turns: number): number {
  const quarters = Math.floor(turns * 4 + 0.5);
  const angle = (turns - quarters / 4) * 2 * Math.PI;
  const quadrant = quarters & 3;
  const value = (quadrant & 1) === 0 ? series(angle, angle, 1) : series(1, angle, 0);
  return quadrant < 2 ? value : -value;
}

/** Taylor's series of sine (from the term x/1!) or cosine (from 1/0!) for at most an eighth turn. */
function series(first: number, angle: number, firstPower: number): number {
  const square = angle * angle;
  let sum = 1;
  for (let power = 20 + firstPower; power > firstPower; power -= 2) {
    sum = 1 - (sum * square) / (power * (power - 1));
  }
  return first * sum;
}
