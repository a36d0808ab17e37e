/* The incomplete beta function, and with it Student's t; the normal distribution. */
#include "stats/stats.h"

#include <math.h>

#define STIRLING_FROM 15.0 /* from here on the series below is exact to a double */

/* lgamma(x) less Stirling's (x - 1/2) ln x - x + ln(2 pi)/2, for large x. */
static double stirling_rest(double x)
{
    double i = 1 / x, i2 = i * i;
    return i * (1.0 / 12 - i2 * (1.0 / 360 - i2 * (1.0 / 1260 - i2 * (1.0 / 1680 - i2 * (1.0 / 1188)))));
}

static double log_gamma(double x)
{
    int sign;
    return lgamma_r(x, &sign); /* the plain one writes to a global */
}

/* ln(x n / a), given that less 1 too: near 1 that has the digits, near 0 the ratio has. */
static double log_ratio(double ratio, double less_one)
{
    return less_one > -0.5 ? log1p(less_one) : log(ratio);
}

/* ln of x^a y^b / B(a, b) with y = 1 - x. Differences of large logarithms of gamma functions lose digits, so that they
 * are taken of what Stirling's formula leaves. */
static double log_front(double a, double b, double x, double y)
{
    double n = a + b;
    if (a >= STIRLING_FROM && b >= STIRLING_FROM) {
        double off = x * b - y * a;
        return a * log_ratio(x * n / a, off / a) + b * log_ratio(y * n / b, -off / b) +
               0.5 * log(a / n * b / (2 * M_PI)) + stirling_rest(n) - stirling_rest(a) - stirling_rest(b);
    }
    double log_x = x < 0.5 ? log(x) : log1p(-y), log_y = y < 0.5 ? log(y) : log1p(-x);
    if (a >= STIRLING_FROM)
        return a * log_x + b * log_y + (a - 0.5) * log1p(b / a) + b * log(n) - b + stirling_rest(n) - stirling_rest(a) -
               log_gamma(b);
    if (b >= STIRLING_FROM)
        return log_front(b, a, y, x);
    return a * log_x + b * log_y + log_gamma(n) - log_gamma(a) - log_gamma(b);
}

/* The continued fraction of the incomplete beta function, by Lentz's method. */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double f = d;
    for (int m = 1; m < 20000; m++) {
        double change = 1;
        for (int odd = 0; odd < 2; odd++) {
            double term = odd == 0 ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
                                   : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
            d = 1 + term * d;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = 1 + term / c;
            c = fabs(c) < tiny ? tiny : c;
            f *= c * d;
            change = c * d;
        }
        if (fabs(change - 1) < 1e-15)
            break;
    }
    return f;
}

/* With y = 1 - x given, which a caller may know to more digits. */
static double beta_of(double a, double b, double x, double y)
{
    if (a <= 0)
        return 1;
    if (b <= 0)
        return 0;
    if (x <= 0 || y <= 0)
        return x > 0;
    double front = exp(log_front(a, b, x, y));
    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, y) / b;
}

double stats_beta(double a, double b, double x)
{
    return beta_of(a, b, x, 1 - x);
}

/* ---- the normal distribution ---- */

double stats_normal_cdf(double z)
{
    return 0.5 * erfc(-z / M_SQRT2);
}

double stats_normal_quantile(double p)
{
    if (!(p > 0 && p < 1))
        return p == 0 ? -INFINITY : p == 1 ? INFINITY : NAN;
    /* The lower tail, begun with Abramowitz and Stegun 26.2.22 (good to 3e-3) and polished by Halley's method, which
     * triples the digits. */
    double tail = fmin(p, 1 - p), t = sqrt(-2 * log(tail));
    double z = -(t - (2.30753 + 0.27061 * t) / (1 + t * (0.99229 + 0.04481 * t)));
    for (int i = 0; i < 3; i++) {
        double off = (stats_normal_cdf(z) - tail) * sqrt(2 * M_PI) * exp(z * z / 2);
        z -= off / (1 + z * off / 2);
    }
    return p < 0.5 ? z : -z;
}

/* ---- Student's t ---- */

double stats_student_tail(double t, double freedom)
{
    if (!(freedom > 0) || isnan(t))
        return 1;
    double square = t * t;
    if (isinf(square) || isinf(freedom))
        return isinf(square) ? 0 : 2 * stats_normal_cdf(-fabs(t));
    return beta_of(freedom / 2, 0.5, freedom / (freedom + square), square / (freedom + square));
}

double stats_student_quantile(double tail, double freedom)
{
    if (!(tail > 0 && tail < 1) || !(freedom > 0))
        return tail >= 1 ? 0 : INFINITY;
    if (isinf(freedom))
        return -stats_normal_quantile(tail / 2);
    double low = 0, high = 1;
    while (stats_student_tail(high, freedom) > tail && high < 1e300)
        high *= 2;
    low = high > 1 ? high / 2 : 0;
    /* Newton's method on the logarithm of the tail, which is nearly straight there; by halves where it would leave.
     * Where the gamma functions lose their digits, the density's constant is the normal one. */
    double t = (low + high) / 2, scale = -0.5 * log(2 * M_PI);
    if (freedom < 1e6)
        scale = log_gamma((freedom + 1) / 2) - log_gamma(freedom / 2) - 0.5 * log(freedom * M_PI);
    for (int i = 0; i < 200 && high - low > 4e-16 * high; i++) {
        double p = stats_student_tail(t, freedom), density = exp(scale - (freedom + 1) / 2 * log1p(t * t / freedom));
        if (p > tail)
            low = t;
        else
            high = t;
        double next = t + p * log(p / tail) / (2 * density);
        if (fabs(next - t) <= 4e-16 * t)
            break;
        t = next > low && next < high ? next : (low + high) / 2;
    }
    return t;
}
