#!/usr/bin/env python3
"""Every test that docs/security.md names exists: a defence whose proof was removed or renamed has none.

Run with the project's root as the only argument.
"""

import pathlib
import re
import sys


def existing(root):
    names = set()
    for file in (root / "tests").rglob("*_test.cpp"):
        names |= {f"{suite}.{test}" for suite, test in
                  re.findall(r"^TEST(?:_[FP])?\((\w+),\s*(\w+)\)", file.read_text(encoding="utf-8"), re.MULTILINE)}
    for file in (root / "tests").rglob("*_test.py"):
        suite = ""
        for line in file.read_text(encoding="utf-8").splitlines():
            if found := re.match(r"class (\w+)\(", line):
                suite = found.group(1)
            elif found := re.match(r"    def (test_\w+)\(", line):
                names.add(f"{suite}.{found.group(1)}")
    names |= {f"fuzz.{file.stem.removesuffix('_fuzz')}" for file in (root / "tests" / "fuzz").glob("*_fuzz.cpp")}
    return names


def main(root):
    text = (root / "docs" / "security.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:fuzz|[A-Z]\w+)\.\w+)`", text))
    missing = sorted(named - existing(root))
    unproven = [line for line in text.splitlines()
                if line.startswith("| ") and line.count("|") == 4 and "`" not in line.rsplit("|", 2)[1]
                and not re.match(r"\| (\||threat|API tokens|scrape passwords|what backups|the answer)", line)]
    for name in missing:
        print(f"docs/security.md names {name}, and there is no such test")
    for line in unproven:
        print(f"docs/security.md proves nothing here: {line}")
    return 1 if missing or unproven or len(named) < 20 else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
