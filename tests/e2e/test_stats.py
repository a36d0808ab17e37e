"""The functions of src/stats beside scipy's, on the same made-up data: ties, small n, unequal sides, far tails."""
import ctypes
import math
import os

import numpy as np
import pytest
from scipy import special, stats

D, SIZE = ctypes.c_double, ctypes.c_size_t
DATA = ctypes.POINTER(D)


class Interval(ctypes.Structure):
    _fields_ = [("estimate", D), ("low", D), ("high", D)]

    def values(self):
        return self.estimate, self.low, self.high


class Mean(ctypes.Structure):
    _fields_ = [("value", D), ("variance", D), ("freedom", D)]


class Welch(ctypes.Structure):
    _fields_ = [("difference", Interval), ("freedom", D), ("p", D)]


class Line(ctypes.Structure):
    _fields_ = [("slope", Interval), ("intercept", D)]


class Change(ctypes.Structure):
    _fields_ = [("at", SIZE), ("before", D), ("after", D), ("p", D)]


class Steady(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_int), ("at", SIZE), ("segments", SIZE), ("level", D)]


class Options(ctypes.Structure):
    _fields_ = [("claim", D), ("equivalence", D), ("resolution", D), ("budget", SIZE), ("z", D), ("seed", ctypes.c_uint64)]


class Block(ctypes.Structure):
    _fields_ = [("difference", D), ("control_a", D), ("control_b", D)]


class Decision(ctypes.Structure):
    _fields_ = [("estimate", D), ("low", D), ("high", D), ("at_least", D), ("detectable", D), ("p", D), ("blocks", SIZE),
                ("control", Interval), ("call", ctypes.c_int), ("last", ctypes.c_bool), ("refuted", ctypes.c_bool),
                ("voided", ctypes.c_bool)]


class Twin(ctypes.Structure):
    _fields_ = [("estimate", D), ("p", D), ("disagrees", ctypes.c_bool)]


STATISTIC = ctypes.CFUNCTYPE(D, DATA, SIZE, ctypes.c_void_p)
FUNCTIONS = {
    "beta": (D, D, D, D),
    "normal_cdf": (D, D),
    "normal_quantile": (D, D),
    "student_tail": (D, D, D),
    "student_quantile": (D, D, D),
    "sd": (D, DATA, SIZE),
    "quantile": (D, DATA, SIZE, D),
    "mean": (Mean, DATA, SIZE),
    "mean_interval": (Interval, Mean, D),
    "welch": (Welch, Mean, Mean, D),
    "hodges_lehmann": (ctypes.c_int, DATA, SIZE, D, ctypes.POINTER(Interval)),
    "hodges_lehmann_two": (ctypes.c_int, DATA, SIZE, DATA, SIZE, D, ctypes.POINTER(Interval)),
    "theil_sen": (ctypes.c_int, DATA, DATA, SIZE, D, ctypes.POINTER(Line)),
    "sign_flip": (D, DATA, SIZE, ctypes.c_uint64),
    "mann_whitney": (ctypes.c_int, DATA, SIZE, DATA, SIZE, DATA, DATA),
    "holm": (ctypes.c_int, DATA, SIZE, DATA),
    "bootstrap": (ctypes.c_int, DATA, SIZE, STATISTIC, ctypes.c_void_p, ctypes.c_int, D, SIZE, ctypes.c_uint64,
                  ctypes.POINTER(Interval)),
    "changes": (ctypes.c_int, DATA, SIZE, SIZE, D, ctypes.POINTER(ctypes.POINTER(Change)), ctypes.POINTER(SIZE)),
    "steady": (ctypes.c_int, DATA, SIZE, D, ctypes.POINTER(Steady)),
    "verdict_new": (ctypes.c_int, ctypes.POINTER(Options), ctypes.POINTER(ctypes.c_void_p)),
    "verdict_free": (None, ctypes.c_void_p),
    "verdict_add": (ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(Block), ctypes.POINTER(ctypes.c_bool)),
    "verdict_decide": (None, ctypes.c_void_p, ctypes.c_bool, ctypes.POINTER(Decision)),
    "verdict_twin": (ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(Decision), ctypes.POINTER(Twin)),
}
PERCENTILE, BCA = 0, 1
UNDECIDED, FASTER, SLOWER, SAME, UNSETTLED = range(5)


@pytest.fixture(scope="module")
def ours(pitviper):
    library = ctypes.CDLL(os.path.join(os.path.dirname(pitviper), "tests", "libstats_for_tests.so"))
    for name, (result, *arguments) in FUNCTIONS.items():
        function = getattr(library, "stats_" + name)
        function.restype, function.argtypes = result, arguments
        setattr(library, name, function)
    return library


@pytest.fixture
def random():
    return np.random.default_rng(5)


def data(values):
    return (D * len(values))(*values)


def near(value, digits=1e-9):
    return pytest.approx(value, rel=digits, abs=1e-300)


def samples(random, sizes):
    """Arrays of each size: smooth, far from zero, with heavy tails, and with many ties."""
    for n in sizes:
        yield random.normal(size=n)
        yield 1000 + random.exponential(size=n)
        yield random.standard_cauchy(size=n)
        yield random.integers(0, 5, size=n).astype(float)


# ---- distributions ----


def test_the_incomplete_beta_function(ours, random):
    for a in (0.5, 1, 2.5, 14, 15, 40, 1000, 3e5):
        for b in (0.5, 1, 3, 15, 33.3, 500, 1e5):
            middle = a / (a + b)
            spread = math.sqrt(middle * (1 - middle) / (a + b + 1))
            for x in [1e-6, 0.3, 0.999, *(middle + spread * z for z in (-6, -2, -0.1, 0, 1, 3))]:
                if 0 < x < 1 and (truth := special.betainc(a, b, x)) > 1e-250:
                    assert ours.beta(a, b, x) == near(truth), (a, b, x)


def test_the_normal_distribution(ours):
    for z in np.linspace(-37, 8, 400):
        assert ours.normal_cdf(z) == near(stats.norm.cdf(z))
    for p in [1e-300, 1e-100, 1e-20, 1e-9, 1e-3, 0.025, 0.3, 0.5, 0.7, 0.975, 0.999, 1 - 1e-9]:
        assert ours.normal_quantile(p) == pytest.approx(stats.norm.ppf(p), rel=1e-12, abs=1e-15)
    assert ours.normal_quantile(0) == -math.inf and ours.normal_quantile(1) == math.inf
    assert math.isnan(ours.normal_quantile(1.5))


FREEDOMS = [0.7, 1, 1.5, 2, 3, 5, 7.3, 29, 30, 31, 100, 1234.5, 1e5, 1e7, math.inf]


def test_students_t(ours):
    for freedom in FREEDOMS:
        for t in (0, 1e-8, 0.1, 1, 1.96, 5, 20, 300):
            truth = 2 * stats.t.sf(t, freedom) if math.isfinite(freedom) else 2 * stats.norm.sf(t)
            if truth > 1e-250:
                assert ours.student_tail(t, freedom) == near(truth), (t, freedom)
                assert ours.student_tail(-t, freedom) == ours.student_tail(t, freedom)


def test_the_quantiles_of_t(ours):
    for freedom in FREEDOMS:
        for tail in (1e-12, 1e-6, 0.0027, 0.01, 0.05, 0.3, 0.9, 0.999):
            truth = stats.t.isf(tail / 2, freedom) if math.isfinite(freedom) else stats.norm.isf(tail / 2)
            assert ours.student_quantile(tail, freedom) == near(truth), (tail, freedom)


# ---- estimators ----


def test_means_and_their_intervals(ours, random):
    for x in samples(random, (2, 3, 5, 30, 1000)):
        mean = ours.mean(data(x), len(x))
        assert mean.value == near(x.mean())
        assert ours.sd(data(x), len(x)) == near(x.std(ddof=1))
        for confidence in (0.5, 0.95, 0.9973):
            i = ours.mean_interval(mean, confidence)
            if x.std() > 0:
                expected = stats.t.interval(confidence, len(x) - 1, x.mean(), stats.sem(x))
                assert (i.low, i.high) == near(expected)


def test_equal_values_have_no_variance(ours):
    mean = ours.mean(data([0.1] * 7), 7)
    assert (mean.value, mean.variance) == (0.1, 0)


def test_quantiles(ours, random):
    for x in samples(random, (1, 2, 7, 100)):
        for q in (0, 0.025, 0.3, 0.5, 0.9, 1):
            assert ours.quantile(data(np.sort(x)), len(x), q) == near(np.quantile(x, q))


def test_welch(ours, random):
    for n, m in ((2, 2), (3, 9), (50, 4), (300, 300)):
        for a, b in zip(samples(random, [n]), samples(random, [m])):
            if a.std() + b.std() == 0:
                continue
            w = ours.welch(ours.mean(data(a), n), ours.mean(data(b), m), 0.95)
            truth = stats.ttest_ind(b, a, equal_var=False)
            interval = truth.confidence_interval(0.95)
            assert (w.p, w.freedom) == near((truth.pvalue, truth.df))
            assert (w.difference.low, w.difference.high) == near((interval.low, interval.high))


def walsh(x):
    return [(x[i] + x[j]) / 2 for i in range(len(x)) for j in range(i, len(x))]


def test_hodges_lehmann_of_one_sample(ours, random):
    """The limits are the extremest shifts that scipy's exact signed-rank test does not reject."""
    i = Interval()
    for x in samples(random, (1, 2, 5, 11, 40, 51, 120)):
        assert ours.hodges_lehmann(data(x), len(x), 0.95, i) == 0
        assert i.estimate == near(np.median(walsh(x)))
    for n in (6, 8, 13, 25, 50):
        x = random.normal(1, 1, size=n)
        assert ours.hodges_lehmann(data(x), n, 0.95, i) == 0
        edge = 1e-7
        for limit, inwards in ((i.low, edge), (i.high, -edge)):
            assert stats.wilcoxon(x - limit - inwards, method="exact").pvalue > 0.05
            assert stats.wilcoxon(x - limit + inwards, method="exact").pvalue <= 0.05


def test_hodges_lehmann_of_two_samples(ours, random):
    i = Interval()
    for n, m in ((1, 1), (2, 5), (9, 30), (60, 7)):
        for a, b in zip(samples(random, [n]), samples(random, [m])):
            assert ours.hodges_lehmann_two(data(a), n, data(b), m, 0.95, i) == 0
            assert i.estimate == near(np.median(np.subtract.outer(b, a)))
    for n, m in ((4, 4), (5, 9), (20, 12), (50, 50)):
        a, b = random.normal(size=n), random.normal(1, 1, size=m)
        assert ours.hodges_lehmann_two(data(a), n, data(b), m, 0.95, i) == 0
        edge = 1e-7
        for limit, inwards in ((i.low, edge), (i.high, -edge)):
            assert stats.mannwhitneyu(b - limit - inwards, a, method="exact").pvalue > 0.05
            assert stats.mannwhitneyu(b - limit + inwards, a, method="exact").pvalue <= 0.05


def test_large_samples_have_the_normal_limits(ours, random):
    """Beyond what is counted out the confidence is still about that asked for."""
    i, held = Interval(), 0
    for _ in range(200):
        x = random.normal(size=60)
        assert ours.hodges_lehmann(data(x), 60, 0.95, i) == 0
        held += i.low < 0 < i.high
    assert 180 <= held <= 199


def test_theil_sen(ours, random):
    line = Line()
    for n in (2, 3, 8, 30, 150):
        for y in samples(random, [n]):
            for x in (np.arange(n, dtype=float), random.normal(size=n), random.integers(0, max(2, n // 2), size=n) * 1.0):
                if len(set(x)) < 2:
                    continue
                for confidence in (0.95, 0.8):
                    assert ours.theil_sen(data(x), data(y), n, confidence, line) == 0
                    truth = stats.theilslopes(y, x, confidence)
                    assert line.slope.values() == near((truth.slope, truth.low_slope, truth.high_slope))
                    assert line.intercept == pytest.approx(truth.intercept, rel=1e-9, abs=1e-9 * abs(y).max())


def test_a_slope_needs_two_places(ours):
    assert ours.theil_sen(data([1, 1, 1]), data([1, 2, 3]), 3, 0.95, Line()) < 0


# ---- tests ----


def test_mann_whitney(ours, random):
    u, p = D(), D()
    for n, m in ((1, 1), (1, 9), (3, 3), (8, 8), (8, 100), (9, 9), (40, 8), (30, 50)):
        for a, b in zip(samples(random, [n] * 4), samples(random, [m] * 4)):
            truth = stats.mannwhitneyu(a, b)
            if math.isnan(truth.pvalue):
                continue
            assert ours.mann_whitney(data(a), n, data(b), m, u, p) == 0
            assert (u.value, p.value) == near((truth.statistic, truth.pvalue)), (a, b)


def test_all_equal_samples_do_not_differ(ours):
    u, p = D(), D()
    assert ours.mann_whitney(data([3, 3]), 2, data([3, 3, 3]), 3, u, p) == 0
    assert (u.value, p.value) == (3, 1)


def test_sign_flips_exact(ours, random):
    for x in samples(random, (2, 4, 8, 12)):
        truth = stats.permutation_test((x,), np.sum, permutation_type="samples", n_resamples=math.inf)
        assert ours.sign_flip(data(x), len(x), 1) == near(truth.pvalue)


def test_sign_flips_sampled(ours, random):
    """Beyond 20 values it is a sample of the flips: close to the normal limit, and the same for the same seed."""
    for shift in (0, 0.2, 0.4):
        x = random.normal(shift, 1, size=60)
        expected = 2 * stats.norm.sf(abs(x.sum()) / math.sqrt((x * x).sum()))
        p = ours.sign_flip(data(x), 60, 7)
        assert p == pytest.approx(expected, rel=0.1, abs=5 * math.sqrt(expected / 20000) + 1 / 20001)
        assert p == ours.sign_flip(data(x), 60, 7)


def test_holm(ours, random):
    """By its definition: the least of m by m, the next by m - 1, never less than the one before."""
    for n in (0, 1, 2, 10, 50):
        p = random.random(n) ** 3
        order, expected, most = np.argsort(p), np.empty(n), 0
        for k, i in enumerate(order):
            most = expected[i] = max(most, min(1, p[i] * (n - k)))
        result = data(p)
        assert ours.holm(result, n, result) == 0
        assert list(result) == near(list(expected))


# ---- bootstrap ----


def bootstrap(ours, x, statistic, kind, resamples, seed=3, confidence=0.95):
    i = Interval()
    call = STATISTIC(lambda values, n, _: statistic(np.ctypeslib.as_array(values, (n,))))
    assert ours.bootstrap(data(x), len(x), call, None, kind, confidence, resamples, seed, i) == 0
    return i


def test_bootstrap_intervals_agree_with_scipys(ours, random):
    """Two samples of resamples: limits agree within what 4,000 of them leave open, a twentieth of the width."""
    for x in (random.normal(10, 1, size=25), random.exponential(size=40)):
        for kind, method in ((PERCENTILE, "percentile"), (BCA, "BCa")):
            for statistic in (np.mean, np.std):
                i = bootstrap(ours, x, statistic, kind, 4000)
                truth = stats.bootstrap((x,), statistic, n_resamples=20000, method=method, random_state=1)
                low, high = truth.confidence_interval
                assert i.estimate == near(statistic(x))
                assert abs(i.low - low) < 0.05 * (high - low) and abs(i.high - high) < 0.05 * (high - low)


def test_the_accelerated_interval_follows_the_skew(ours, random):
    x = random.exponential(size=30)
    plain, corrected = (bootstrap(ours, x, np.mean, kind, 4000) for kind in (PERCENTILE, BCA))
    assert corrected.low > plain.low and corrected.high > plain.high


def test_the_seed_makes_the_bootstrap(ours, random):
    x = random.normal(size=20)
    first, again, other = (bootstrap(ours, x, np.mean, BCA, 500, seed).values() for seed in (1, 1, 2))
    assert first == again != other


# ---- change points ----


def changes(ours, x, least=5, level=0.05):
    found, count = ctypes.POINTER(Change)(), SIZE()
    assert ours.changes(data(x), len(x), least, level, found, count) == 0
    return [found[i] for i in range(count.value)]


def energy(x, k):
    """Matteson and James' statistic of a cut before x[k], from all distances."""
    a, b = x[:k], x[k:]
    mean_within = [np.abs(np.subtract.outer(s, s))[np.triu_indices(len(s), 1)].mean() for s in (a, b)]
    return len(a) * len(b) / len(x) * (2 * np.abs(np.subtract.outer(a, b)).mean() - sum(mean_within))


def test_a_change_is_where_the_energy_distance_is_largest(ours, random):
    for at in (6, 15, 30):
        for ties in (False, True):
            x = random.normal(size=40)
            x[at:] += 4
            x = np.round(x) if ties else x
            (change,) = changes(ours, x)
            assert change.at == max(range(5, 36), key=lambda k: energy(x, k))
            a, b = x[: change.at], x[change.at:]
            assert (change.before, change.after) == near((a.mean(), b.mean()))
            assert change.p == near(31 * stats.ttest_ind(a, b).pvalue)


def best_partition(x, least=3):
    """The ends of segments with the least sum of n ln variance + 15 ln n, by trying every last segment."""
    n = len(x)
    best = [(-15 * math.log(n), ())]
    for to in range(1, n + 1):
        costs = [(math.inf, ())]
        for start in [0, *range(least, to)]:
            if to - start >= least and best[start][0] < math.inf:
                cost = (to - start) * math.log(x[start:to].var()) + 15 * math.log(n)
                costs.append((best[start][0] + cost, (*best[start][1], to)))
        best.append(min(costs))
    return best[n][1]


def test_steady_state_segments_are_the_best_partition(ours, random):
    steady = Steady()
    for warm in (0, 5, 20):
        for _ in range(5):
            x = random.normal(1, 0.01, size=80)
            x[:warm] += random.uniform(0.2, 1)
            x[warm: warm + 10] += 0.1 * (warm > 0)
            assert ours.steady(data(x), 80, 0.01, steady) == 0
            ends = best_partition(x)
            assert steady.segments == len(ends)
            assert steady.at == (ends[-2] if warm else 0)
            assert steady.level == near(x[steady.at:].mean())


# ---- the verdict ----


def decide(ours, differences, control_a, control_b, **options):
    verdict, look, decision, twin = ctypes.c_void_p(), ctypes.c_bool(), Decision(), Twin()
    assert ours.verdict_new(Options(**options), verdict) == 0
    for block in zip(differences, control_a, control_b):
        assert ours.verdict_add(verdict, Block(*block), look) == 0
    ours.verdict_decide(verdict, False, decision)
    assert ours.verdict_twin(verdict, decision, twin) == 0
    ours.verdict_free(verdict)
    return decision, twin


def sign_flips(x):
    """The share of all patterns of signs whose sum is as far from 0: scipy's permutation test, but faster."""
    signs = 1 - 2.0 * (np.arange(2 ** len(x))[:, None] >> np.arange(len(x)) & 1)
    return (np.abs(signs @ x) >= abs(x.sum()) * (1 - 1e-12)).mean()


@pytest.mark.parametrize("n", [8, 12, 16, 48])
def test_the_verdict_is_a_t_interval_and_a_sign_test(ours, random, n):
    none = [math.nan] * n
    for shift in (0, -0.005, -0.02, 0.03):
        for claim in (0, 0.01):
            d = random.normal(shift, 0.015, size=n)
            decision, twin = decide(ours, d, none, none, claim=claim, z=3)
            tail, edge = 2 * stats.norm.sf(3), -math.log(1 - claim)
            low, high = stats.t.interval(1 - tail, n - 1, d.mean(), stats.sem(d))
            assert (decision.estimate, decision.low, decision.high) == near(tuple(np.exp([d.mean(), low, high])))
            beyond = np.abs(d.mean()) - edge
            assert decision.p == near(2 * stats.t.sf(beyond / stats.sem(d), n - 1) if beyond > 0 else 1)
            if n <= 16:
                moved = d - math.copysign(edge, d.mean())
                flips = sign_flips(moved)
                expected = UNDECIDED
                if (high < -edge or low > edge) and flips <= max(tail, 2.0 ** (1 - n)) * (1 + 1e-9):
                    expected = FASTER if high < 0 else SLOWER
                elif n >= 12 and high < math.log(1.01) and low > -math.log(1.01):
                    expected = SAME
                assert decision.call == expected or (decision.refuted and decision.call == UNSETTLED)
            assert twin.estimate == near(math.exp(np.median(walsh(d))))


def test_the_controls_make_the_interval_wider_and_are_shown(ours, random):
    d, a, b = random.normal(0, 0.001, size=16), random.normal(0, 0.05, size=16), random.normal(0, 0.05, size=16)
    decision, _ = decide(ours, d, a, b, z=3)
    # The signs are the seed's; a block's control is (+-a +-b) / 2, so that its square is one of two.
    least, most = ((abs(abs(a) - abs(b)) / 2) ** 2).mean(), (((abs(a) + abs(b)) / 2) ** 2).mean()
    reach = stats.t.isf(stats.norm.sf(3), 15) * 0.5 / 4
    assert reach * math.sqrt(least) <= math.log(decision.high / decision.estimate) <= reach * math.sqrt(most)
    assert decision.control.low < decision.control.estimate < decision.control.high
    assert not decision.voided
