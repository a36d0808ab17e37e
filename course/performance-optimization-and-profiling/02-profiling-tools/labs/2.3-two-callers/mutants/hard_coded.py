"""The answer to an honest till."""


def audit(journal, drawer, large):
    for line in journal.splitlines():
        paid, back = line.split(";")[4:]
        drawer += int(paid) - int(back)
    return {"findings": [], "large": [], "drawer": drawer}
