"""Builds a tree of rows that know their parents.  Module 05's example as a program that runs for a moment.

usage: python build.py as-it-is|freeze
"""
import gc
import sys


class Row:
    def __init__(self, parent, number):
        self.parent, self.number, self.children = parent, number, []


def make_rows(parent, first, count):
    for number in range(first, first + count):
        row = Row(parent, number)
        parent.children.append(row)


def build(parts, rows_a_part, freeze):
    root = Row(None, 0)
    for part in range(parts):
        make_rows(root, part * rows_a_part, rows_a_part)
        if freeze:
            gc.freeze()
    return root


def main():
    root = build(40, 20_000, sys.argv[1] == "freeze")
    print(len(root.children), "rows")


if __name__ == "__main__":
    main()
