"""Fast calls that alternate at polymorphic call sites: the worst case for a reader
that does not stop its target.

Every function's name is its only legal caller's name and one part more, so
each stack can be judged by its names alone: whatever else stands in a stack was
never there.  All frames of a level have the same size and so take the same
addresses in turn, which is what makes a torn stack look whole.

Arguments: see pace.py.
"""

import sys

from pace import Pace


def p_a_u(n):
    return n + 1


def p_a_v(n):
    return n + 1


def p_a(n):
    for call in P_A:
        n = call(n)
    return n


P_A = (p_a_u, p_a_v)


def p_b_u(n):
    return n + 1


def p_b_v(n):
    return n + 1


def p_b(n):
    for call in P_B:
        n = call(n)
    return n


P_B = (p_b_u, p_b_v)


def p_c_u(n):
    return n + 1


def p_c_v(n):
    return n + 1


def p_c(n):
    for call in P_C:
        n = call(n)
    return n


P_C = (p_c_u, p_c_v)


def p_d_u(n):
    return n + 1


def p_d_v(n):
    return n + 1


def p_d(n):
    for call in P_D:
        n = call(n)
    return n


P_D = (p_d_u, p_d_v)


def p_e_u(n):
    return n + 1


def p_e_v(n):
    return n + 1


def p_e(n):
    for call in P_E:
        n = call(n)
    return n


P_E = (p_e_u, p_e_v)


def p_f_u(n):
    return n + 1


def p_f_v(n):
    return n + 1


def p_f(n):
    for call in P_F:
        n = call(n)
    return n


P_F = (p_f_u, p_f_v)


def p_g_u(n):
    return n + 1


def p_g_v(n):
    return n + 1


def p_g(n):
    for call in P_G:
        n = call(n)
    return n


P_G = (p_g_u, p_g_v)


def p_h_u(n):
    return n + 1


def p_h_v(n):
    return n + 1


def p_h(n):
    for call in P_H:
        n = call(n)
    return n


P_H = (p_h_u, p_h_v)


def q_a_u(n):
    return n + 1


def q_a_v(n):
    return n + 1


def q_a(n):
    for call in Q_A:
        n = call(n)
    return n


Q_A = (q_a_u, q_a_v)


def q_b_u(n):
    return n + 1


def q_b_v(n):
    return n + 1


def q_b(n):
    for call in Q_B:
        n = call(n)
    return n


Q_B = (q_b_u, q_b_v)


def q_c_u(n):
    return n + 1


def q_c_v(n):
    return n + 1


def q_c(n):
    for call in Q_C:
        n = call(n)
    return n


Q_C = (q_c_u, q_c_v)


def q_d_u(n):
    return n + 1


def q_d_v(n):
    return n + 1


def q_d(n):
    for call in Q_D:
        n = call(n)
    return n


Q_D = (q_d_u, q_d_v)


def q_e_u(n):
    return n + 1


def q_e_v(n):
    return n + 1


def q_e(n):
    for call in Q_E:
        n = call(n)
    return n


Q_E = (q_e_u, q_e_v)


def q_f_u(n):
    return n + 1


def q_f_v(n):
    return n + 1


def q_f(n):
    for call in Q_F:
        n = call(n)
    return n


Q_F = (q_f_u, q_f_v)


def q_g_u(n):
    return n + 1


def q_g_v(n):
    return n + 1


def q_g(n):
    for call in Q_G:
        n = call(n)
    return n


Q_G = (q_g_u, q_g_v)


def q_h_u(n):
    return n + 1


def q_h_v(n):
    return n + 1


def q_h(n):
    for call in Q_H:
        n = call(n)
    return n


Q_H = (q_h_u, q_h_v)


def r_a_u(n):
    return n + 1


def r_a_v(n):
    return n + 1


def r_a(n):
    for call in R_A:
        n = call(n)
    return n


R_A = (r_a_u, r_a_v)


def r_b_u(n):
    return n + 1


def r_b_v(n):
    return n + 1


def r_b(n):
    for call in R_B:
        n = call(n)
    return n


R_B = (r_b_u, r_b_v)


def r_c_u(n):
    return n + 1


def r_c_v(n):
    return n + 1


def r_c(n):
    for call in R_C:
        n = call(n)
    return n


R_C = (r_c_u, r_c_v)


def r_d_u(n):
    return n + 1


def r_d_v(n):
    return n + 1


def r_d(n):
    for call in R_D:
        n = call(n)
    return n


R_D = (r_d_u, r_d_v)


def r_e_u(n):
    return n + 1


def r_e_v(n):
    return n + 1


def r_e(n):
    for call in R_E:
        n = call(n)
    return n


R_E = (r_e_u, r_e_v)


def r_f_u(n):
    return n + 1


def r_f_v(n):
    return n + 1


def r_f(n):
    for call in R_F:
        n = call(n)
    return n


R_F = (r_f_u, r_f_v)


def r_g_u(n):
    return n + 1


def r_g_v(n):
    return n + 1


def r_g(n):
    for call in R_G:
        n = call(n)
    return n


R_G = (r_g_u, r_g_v)


def r_h_u(n):
    return n + 1


def r_h_v(n):
    return n + 1


def r_h(n):
    for call in R_H:
        n = call(n)
    return n


R_H = (r_h_u, r_h_v)


def s_a_u(n):
    return n + 1


def s_a_v(n):
    return n + 1


def s_a(n):
    for call in S_A:
        n = call(n)
    return n


S_A = (s_a_u, s_a_v)


def s_b_u(n):
    return n + 1


def s_b_v(n):
    return n + 1


def s_b(n):
    for call in S_B:
        n = call(n)
    return n


S_B = (s_b_u, s_b_v)


def s_c_u(n):
    return n + 1


def s_c_v(n):
    return n + 1


def s_c(n):
    for call in S_C:
        n = call(n)
    return n


S_C = (s_c_u, s_c_v)


def s_d_u(n):
    return n + 1


def s_d_v(n):
    return n + 1


def s_d(n):
    for call in S_D:
        n = call(n)
    return n


S_D = (s_d_u, s_d_v)


def s_e_u(n):
    return n + 1


def s_e_v(n):
    return n + 1


def s_e(n):
    for call in S_E:
        n = call(n)
    return n


S_E = (s_e_u, s_e_v)


def s_f_u(n):
    return n + 1


def s_f_v(n):
    return n + 1


def s_f(n):
    for call in S_F:
        n = call(n)
    return n


S_F = (s_f_u, s_f_v)


def s_g_u(n):
    return n + 1


def s_g_v(n):
    return n + 1


def s_g(n):
    for call in S_G:
        n = call(n)
    return n


S_G = (s_g_u, s_g_v)


def s_h_u(n):
    return n + 1


def s_h_v(n):
    return n + 1


def s_h(n):
    for call in S_H:
        n = call(n)
    return n


S_H = (s_h_u, s_h_v)


def p(n):
    for call in P:
        n = call(n)
    return n


P = (p_a, p_b, p_c, p_d, p_e, p_f, p_g, p_h)


def q(n):
    for call in Q:
        n = call(n=n)
    return n


Q = (q_a, q_b, q_c, q_d, q_e, q_f, q_g, q_h)


def r(n):
    arguments = (n,)
    for call in R:
        arguments = (call(*arguments),)
    return arguments[0]


R = (r_a, r_b, r_c, r_d, r_e, r_f, r_g, r_h)


def s(n):
    one, other = S[n & 3], S[4 + (n & 3)]
    for _ in TURNS:
        n = one(n)
        one, other = other, one
    return n


S = (s_a, s_b, s_c, s_d, s_e, s_f, s_g, s_h)
TURNS = range(8)


class t_a:
    def t_step(self, n):
        return self.t_step_a(n)

    def t_step_a(self, n):
        return n + 1


class t_b:
    def t_step(self, n):
        return self.t_step_b(n)

    def t_step_b(self, n):
        return n + 2


def t(n):
    for thing in T:
        n = thing.t_step(n)
    return n


T = (t_a(), t_b(), t_a(), t_b())


def g(n):
    for source in G:
        for n in source(n):
            pass
    return n


def g_a(n):
    yield g_a_u(n)
    yield n


def g_a_u(n):
    return n + 1


def g_b(n):
    yield g_b_u(n)
    yield n


def g_b_u(n):
    return n + 2


G = (g_a, g_b, g_a, g_b)
TOPS = (p, q, r, s, t, g)


def main(argv):
    pace = Pace(argv)
    pace.start()
    n = 0
    while True:
        for _ in range(20):
            for top in TOPS:
                n = top(n & 1023)
        if not pace.more():
            break
    pace.finish()


if __name__ == "__main__":
    main(sys.argv)
