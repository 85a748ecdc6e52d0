#!/usr/bin/env python3
"""Checks that every test that docs/faults.md names exists. Exits 1 and lists those that do not."""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent
named = set(re.findall(r"`([A-Z]\w+\.[A-Z]\w+)`", (root / "docs/faults.md").read_text()))
defined = set()
for file in (root / "tests").rglob("*_test.cc"):
    for suite, name in re.findall(r"^TEST(?:_F|_P)?\((\w+), (\w+)\)", file.read_text(), re.M):
        defined.add(f"{suite}.{name}")
missing = sorted(named - defined)
for name in missing:
    print(f"docs/faults.md: there is no test {name}")
if not named:
    print("docs/faults.md: names no test")
sys.exit(1 if missing or not named else 0)
