"""Journals of a till in which few receipts break a rule: small ones for all that can happen, and a long one."""

BUSY = 1_000  # receipts; from here on the journal is a realistic one
ARTICLES = ("double-espresso with oat-milk", "cappuccino with whole-milk", "pot of green-tea with lemon", "slice of plum-cake with cream",
            "croissant with butter and raspberry-jam", "bottle of still-water", "home-made lemonade with mint", "ham-and-cheese toast")
LONG = "breakfast-for-two-on-sundays-and-holidays-with-orange-juice-and-two-eggs"


def receipt_of(random, number, drawer, wrong):
    """A line, and what it changes in the drawer; wrong is the share of the receipts in which something is not right."""
    sold, total = [], 0
    for article in random.sample(ARTICLES, random.randint(3, 6)):
        count, cents = random.randint(1, 3), random.randrange(150, 600, 10)
        sold.append(f"{article}*{count}@{cents}")
        total += count * cents
    if random.random() < wrong:
        sold.append(f"{LONG}*1@2400")
        total += 2400
    discount = random.choice((0, 0, 0, total // 10, total // 5))
    if random.random() < wrong:
        discount = total // 5 + random.randint(0, 2)
    due = total - discount
    paid = due + random.randrange(min(2000, max(drawer, 1)))
    back = paid - due
    if random.random() < wrong:
        back += random.choice((-10, 10))
    if random.random() < wrong:
        paid, back = paid + drawer + 1, back + drawer + 1
    time = f"{8 + number % 12:02}:{random.randrange(60):02}"
    return f"{number};{time};{','.join(sold)};{discount};{paid};{back}", paid - back


def case(random, size):
    wrong = 0.002 if size >= BUSY else 0.15
    start = drawer = random.randrange(20_000)
    number, lines = random.randint(1, 5000), []
    for _ in range(size):
        line, change = receipt_of(random, number, drawer, wrong)
        lines.append(line)
        drawer += change
        number += 1 + (random.random() < wrong)
    return "\n".join(lines), start, 5_800 if size >= BUSY else random.randrange(1_000, 8_000, 100)


def edges():
    right = "7;09:14;espresso*2@240;0;500;20"
    return [
        ("", 5000, 1),
        (right, 5000, 480),  # exactly as large as to be written out
        (right, 20, 481),  # the drawer gives all that it has
        (right, 19, 481),
        ("7;09:14;tea*1@1000;200;800;0\n8;09:15;tea*1@1000;201;799;0", 0, 5000),  # the most discount, and a cent more
        ("7;09:14;tea*1@300;0;300;0\n9;09:15;tea*1@300;0;300;0\n9;09:16;tea*1@300;0;300;0", 0, 5000),
        ("7;09:14;tea*1@300;200;500;300\n8;09:15;tea*2@300;0;600;0\n10;09:16;tea*1@300;100;900;800", 0, 400),
    ]
