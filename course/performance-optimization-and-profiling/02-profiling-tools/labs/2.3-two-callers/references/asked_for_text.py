"""Audit the journal of a café's till.

The journal is text, one receipt a line: its number, the time, what was sold (article*count@cents), the discount in cents,
what the guest paid and what came back:

    4711;09:14;espresso*2@240,croissant*1@180;60;1000;400

The audit checks each receipt by four rules, and follows the money in the drawer. What breaks a rule becomes a finding, with
the receipt written out for the person who looks into it. Large receipts are written out, too, for the tax office.
"""
import random
import textwrap
from typing import NamedTuple

WIDTH = 64  # characters of the printer
TENTHS = 2  # the most discount, in tenths of a receipt


class Receipt(NamedTuple):
    number: int
    time: str
    sold: list  # of (article, count, cents for one)
    discount: int
    paid: int
    back: int
    total: int  # before the discount


def parse(line):
    number, time, articles, discount, paid, back = line.split(";")
    sold, total = [], 0
    for text in articles.split(","):
        article, _, rest = text.partition("*")
        count, _, cents = rest.partition("@")
        sold.append((article, int(count), int(cents)))
        total += int(count) * int(cents)
    return Receipt(int(number), time, sold, int(discount), int(paid), int(back), total)


def euros(cents):
    return f"{cents // 100:,}.{cents % 100:02}"


def describe(receipt, drawer):
    """The receipt as lines for the printer, with the money that is in the drawer before it."""
    parts = [f"{count} {article} {euros(count * cents)}" for article, count, cents in receipt.sold]
    if receipt.discount:
        parts.append(f"discount {euros(receipt.discount)}")
    parts.append(f"paid {euros(receipt.paid)}, back {euros(receipt.back)}; drawer {euros(drawer)}")
    head = f"{receipt.number} {receipt.time} "
    return textwrap.fill("; ".join(parts), WIDTH, initial_indent=head, subsequent_indent=" " * len(head))


def expect(holds, rule, receipt, drawer, findings):
    """Notes a finding where a rule does not hold."""
    if not holds:
        findings.append(f"{rule}\n{describe(receipt, drawer)}")


def check(receipt, number, drawer, findings):
    """Checks a receipt by all rules; its number should be this one."""
    due = receipt.total - receipt.discount
    expect(receipt.number == number, f"number {number} expected", receipt, drawer, findings)
    expect(receipt.discount * 10 <= receipt.total * TENTHS, "too much discount", receipt, drawer, findings)
    expect(receipt.paid - receipt.back == due, f"{euros(due)} due", receipt, drawer, findings)
    expect(receipt.back <= drawer, "more back than there was", receipt, drawer, findings)


def audit(journal, drawer, large):
    """The findings, the receipts of at least so many cents written out, and the money in the drawer at the end."""
    findings, written_out, number = [], [], None
    for line in journal.splitlines():
        receipt = parse(line)
        check(receipt, receipt.number if number is None else number, drawer, findings)
        if receipt.total >= large:
            written_out.append(describe(receipt, drawer))
        number = receipt.number + 1
        drawer += receipt.paid - receipt.back
    return {"findings": findings, "large": written_out, "drawer": drawer}


ARTICLES = ("cappuccino with oat-milk", "pot of green-tea", "slice of plum-cake with cream", "croissant with raspberry-jam", "lemonade")


def sample_journal(receipts):
    rng = random.Random(1)
    lines = []
    for number in range(receipts):
        sold, total = [], 0
        for article in rng.sample(ARTICLES, 4):
            count, cents = rng.randint(1, 3), rng.randrange(150, 600, 10)
            sold.append(f"{article}*{count}@{cents}")
            total += count * cents
        lines.append(f"{number};{9 + number % 12:02}:{number % 60:02};{','.join(sold)};0;10000;{10000 - total}")
    return "\n".join(lines)


if __name__ == "__main__":
    found = audit(sample_journal(12_000), drawer=20_000, large=5_000)
    print(len(found["findings"]), "findings;", len(found["large"]), "large receipts; drawer", euros(found["drawer"]))
