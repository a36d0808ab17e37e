"""Unreadable: no object is made but arrays of numbers, and all is in one function, since calls cost time.

The month of a guild of chimney sweeps: finds a sweep and a time for each booking, under the eyes of a watchdog."""
from pitviper_lab import beat


def plan_month(districts, bookings):
    """Return {sweep: houses in the order of the month} for those who have any, and the houses that nobody has time for."""
    t = []
    n = 0
    while n < districts:
        t.append(bytearray(9600))
        t.append(bytearray(9600))
        t.append(bytearray(9600))
        n += 1
        beat(b"%d districts" % n)
    v = {}
    r = []
    n = 0
    for b in bookings:
        h, d, e, m = b.split()
        k = int(d) * 3
        e = int(e)
        m = int(m)
        z = bytes(m)
        x = t[k].find(z, e)
        y = t[k + 1].find(z, e)
        w = t[k + 2].find(z, e)
        s = None
        if x >= 0:
            if y >= 0:
                if w >= 0:
                    if x < y:
                        if x < w:
                            s = k
                        elif x == w:
                            if t[k].rfind(1, 0, x) >= t[k + 2].rfind(1, 0, w):
                                s = k
                            else:
                                s = k + 2
                        else:
                            s = k + 2
                    elif x == y:
                        if t[k].rfind(1, 0, x) >= t[k + 1].rfind(1, 0, y):
                            if x < w:
                                s = k
                            elif x == w:
                                if t[k].rfind(1, 0, x) >= t[k + 2].rfind(1, 0, w):
                                    s = k
                                else:
                                    s = k + 2
                            else:
                                s = k + 2
                        else:
                            if y < w:
                                s = k + 1
                            elif y == w:
                                if t[k + 1].rfind(1, 0, y) >= t[k + 2].rfind(1, 0, w):
                                    s = k + 1
                                else:
                                    s = k + 2
                            else:
                                s = k + 2
                    else:
                        if y < w:
                            s = k + 1
                        elif y == w:
                            if t[k + 1].rfind(1, 0, y) >= t[k + 2].rfind(1, 0, w):
                                s = k + 1
                            else:
                                s = k + 2
                        else:
                            s = k + 2
                else:
                    if x < y or x == y and t[k].rfind(1, 0, x) >= t[k + 1].rfind(1, 0, y):
                        s = k
                    else:
                        s = k + 1
            else:
                if w >= 0:
                    if x < w or x == w and t[k].rfind(1, 0, x) >= t[k + 2].rfind(1, 0, w):
                        s = k
                    else:
                        s = k + 2
                else:
                    s = k
        else:
            if y >= 0:
                if w >= 0:
                    if y < w or y == w and t[k + 1].rfind(1, 0, y) >= t[k + 2].rfind(1, 0, w):
                        s = k + 1
                    else:
                        s = k + 2
                else:
                    s = k + 1
            else:
                if w >= 0:
                    s = k + 2
        if s is None:
            r.append(h)
        else:
            if s == k:
                q = x
            elif s == k + 1:
                q = y
            else:
                q = w
            i = q
            while i < q + m:
                t[s][i] = 1
                i += 1
            if s not in v:
                v[s] = []
            v[s].append((q // 15, len(v[s]), h))
        n += 1
        if n % 10 == 0:
            beat(b"%d bookings" % n)
    o = {}
    for s in v:
        a = []
        for _, _, h in sorted(v[s]):
            a.append(h)
        o["%d/%d" % (s // 3, s % 3)] = a
        beat(b"%d rounds" % len(o))
    return o, r
