// The 95 % interval of a share: src/profile/interval.c, line by line. docs/intervals.md explains it.
const Z95 = 1.959963984540054;
const TAIL = 0.025;
const WILSON_FROM = 2000;

const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];
// The logarithm of the gamma function, x > 0: Lanczos; Stirling's series from 20 on, where it is exact.
const logGamma = (x) => {
  if (x >= 20) {
    const r = 1 / (x * x);
    return (x - 0.5) * Math.log(x) - x + 0.9189385332046727 +
      (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r * (1 / 1680 - r / 1188)))) / x;
  }
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  let sum = LANCZOS[0];
  for (let i = 1; i < 9; i++) sum += LANCZOS[i] / (x - 1 + i);
  const t = x + 6.5;
  return 0.9189385332046727 + (x - 0.5) * Math.log(t) - t + Math.log(sum);
};

const betaFraction = (a, b, x) => {
  const tiny = 1e-300;
  let c = 1;
  let d = 1 - ((a + b) * x) / (a + 1);
  d = 1 / (Math.abs(d) < tiny ? tiny : d);
  let f = d;
  for (let m = 1; m < 2000; m++) {
    for (let odd = 0; odd < 2; odd++) {
      const term = odd === 0
        ? (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
        : (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
      d = 1 + term * d;
      d = 1 / (Math.abs(d) < tiny ? tiny : d);
      c = 1 + term / c;
      c = Math.abs(c) < tiny ? tiny : c;
      f *= c * d;
    }
    if (Math.abs(c * d - 1) < 1e-12) break;
  }
  return f;
};
const betaRegular = (a, b, x) => {
  if (a <= 0) return 1;
  if (b <= 0) return 0;
  if (x <= 0 || x >= 1) return x >= 1 ? 1 : 0;
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return (front * betaFraction(a, b, x)) / a;
  return 1 - (front * betaFraction(b, a, 1 - x)) / b;
};
const midUpper = (k, n, x) => {
  const misses = n - k;
  const half = misses < 2 ? misses / 4 : 0.5;
  return (1 - half) * betaRegular(k, misses + 1, x) + half * betaRegular(k + 1, misses, x);
};
const lowerLimit = (k, n) => {
  if (k <= 0) return 0;
  let low = 0;
  let high = k >= n ? 1 : k / n;
  let below = -TAIL;
  let above = midUpper(k, n, high) - TAIL;
  let side = 0;
  for (let i = 0; i < 100 && high - low > 1e-10 * high; i++) {
    let x = (low * above - high * below) / (above - below);
    if (!(x > low && x < high)) x = (low + high) / 2;
    const value = midUpper(k, n, x) - TAIL;
    if (Math.abs(value) < 1e-12) return x;
    if (value < 0) {
      low = x;
      below = value;
      if (side < 0) above /= 2;
      side = -1;
    } else {
      high = x;
      above = value;
      if (side > 0) below /= 2;
      side = 1;
    }
  }
  return (low + high) / 2;
};

// Sums over ticks to the design effect: how many thread samples are worth one that is independent.
const designEffect = (y, yy, yn, n, nn, ticks) => {
  const p = Math.min(1, Math.max(0, y / n));
  const alike = nn / n;
  let effect = alike;
  const binomial = p * (1 - p) * n;
  if (binomial > 0) {
    let variance = yy - 2 * p * yn + p * p * nn;
    if (ticks > 1) variance *= ticks / (ticks - 1);
    effect = Math.max(variance / binomial, Math.min(2.5 / binomial, alike));
  }
  const withSquare = yy > 0 ? (y * y) / yy : 0;
  const rest = nn - 2 * yn + yy;
  const without = rest > 0 ? ((n - y) * (n - y)) / rest : 0;
  const freedom = Math.max(3, 2 * Math.min(withSquare, without) - 1);
  const z3 = Z95 * Z95 * Z95;
  const z5 = z3 * Z95 * Z95;
  const t = Z95 + (z3 + Z95) / (4 * freedom) + (5 * z5 + 16 * z3 + 3 * Z95) / (96 * freedom * freedom);
  return effect * (1 + ((t * t) / (Z95 * Z95) - 1) * Math.min(1, alike - 1));
};
const limits = (y, n, effect) => {
  if (!(n > 0)) return { share: 0, low: 0, high: 1 };
  const p = Math.min(1, Math.max(0, y / n));
  const effective = n / effect;
  const hits = p * effective;
  const misses = (1 - p) * effective;
  let low;
  let high;
  if (hits > WILSON_FROM && misses > WILSON_FROM) {
    const z2 = Z95 * Z95;
    const middle = (p + z2 / (2 * effective)) / (1 + z2 / effective);
    const half = (Z95 / (1 + z2 / effective)) * Math.sqrt((p * (1 - p)) / effective + z2 / (4 * effective * effective));
    low = middle - half;
    high = middle + half;
  } else {
    low = lowerLimit(hits, effective);
    high = 1 - lowerLimit(misses, effective);
  }
  return { share: p, low: Math.min(low, p), high: Math.max(high, p) };
};
const interval = (y, yy, yn, n, nn, ticks) =>
  n > 0 && ticks > 0 ? limits(y, n, designEffect(y, yy, yn, n, nn, ticks)) : { share: 0, low: 0, high: 1 };
