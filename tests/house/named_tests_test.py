#!/usr/bin/env python3
"""Every test that a document names exists: a claim whose proof was removed or renamed has none. In docs/security.md every
threat has at least one.

Run with the project's root as the only argument.
"""

import fnmatch
import pathlib
import re
import sys


class Tests:
    def __init__(self, root):
        tests = root / "tests"
        self.full = set()  # "Suite.Test", and for tests that CMake names "folder.word"
        for file in tests.rglob("*_test.cpp"):
            self.full |= {f"{suite}.{test}" for suite, test in
                          re.findall(r"^TEST(?:_[FP])?\((\w+),\s*(\w+)\)", file.read_text(encoding="utf-8"), re.MULTILINE)}
        for file in tests.rglob("*_test.py"):
            suite = ""
            for line in file.read_text(encoding="utf-8").splitlines():
                if found := re.match(r"class (\w+)\(", line):
                    suite = found.group(1)
                elif found := re.match(r"    def (test_\w+)\(", line):
                    self.full.add(f"{suite}.{found.group(1)}")
        self.folders = set()
        for file in tests.glob("*/CMakeLists.txt"):
            text, folder = file.read_text(encoding="utf-8"), file.parent.name
            if "add_layer_test(" in text:
                continue
            # CMake puts names together, so any word there stands for a part of one.
            self.folders.add(folder)
            self.full |= {f"{folder}.{word}" for word in re.findall(r"[\w-]+", text)}
        self.parts = {part for name in self.full for part in name.split(".")}

    def has(self, name):
        if "." not in name:
            return name in self.parts
        folder, *words = name.split(".")
        if folder in self.folders:
            return all(f"{folder}.{word}" in self.full for word in words)
        return bool(fnmatch.filter(self.full, name))

    def run_by(self, regex):
        return any(re.search(regex, name) for name in self.full)


def named(text, folders):
    """What stands in `code` and must be a test: with a dot, or by itself as CamelCase; and the patterns of ctest -R."""
    code = re.findall(r"`([^`\n]+)`", text)
    dotted = {name for name in code if re.fullmatch(r"[A-Z]\w*[a-z]\w*\.[\w*]+", name)
              or re.fullmatch(rf"(?:{'|'.join(folders)})(?:\.[a-z_-]+)+", name)}
    alone = {name for name in code if re.fullmatch(r"[A-Z]+[a-z]\w*[A-Z]\w*", name)}
    patterns = set(re.findall(r"ctest [^`\n]*-R '?([^'`\s,)]+)", text))
    return dotted, alone, patterns


def missing(root):
    tests = Tests(root)
    documents = {file.relative_to(root): file.read_text(encoding="utf-8")
                 for file in sorted([*root.glob("*.md"), *(root / "docs").rglob("*.md"), root / "bench/README.md",
                                     *(root / "contrib").rglob("*.md")]) if "node_modules" not in file.parts}
    # CamelCase is also the habit of classes, alerts, and settings of systemd, which the documents show in blocks.
    others = set()
    for pattern in ("include/**/*.h", "src/**/*.h", "src/**/*.cpp", "contrib/alerts/*.yml"):
        for file in root.glob(pattern):
            others |= set(re.findall(r"\w+", file.read_text(encoding="utf-8")))
    for text in documents.values():
        others |= set(re.findall(r"\w+", " ".join(re.findall(r"(?s)```.*?```", text))))
    found, tried = [], 0
    for where, text in documents.items():
        dotted, alone, patterns = named(text, tests.folders)
        tried += len(dotted) + len(alone) + len(patterns)
        found += [f"{where} names {name}, and there is no such test" for name in sorted(dotted) if not tests.has(name)]
        found += [f"{where} names {name}, which is no test, class or alert" for name in sorted(alone)
                  if not tests.has(name) and name not in others]
        found += [f"{where}: ctest -R {pattern} runs nothing" for pattern in sorted(patterns) if not tests.run_by(pattern)]
    return found, tried


def unproven(root):
    """Rows of docs/security.md's tables of threats that name nothing in their last column."""
    found, threats = [], False
    for line in (root / "docs/security.md").read_text(encoding="utf-8").splitlines():
        threats = threats and line.startswith("|") or line.startswith("| threat |")
        if threats and not re.match(r"\|(-| threat )", line) and "`" not in line.rsplit("|", 2)[1]:
            found.append(f"docs/security.md proves nothing here: {line}")
    return found


def self_test(root):
    dotted, alone, patterns = named("`Gone.IsNamed*` `fuzz.gone` `AGoneTest` `NAME.toml` ctest --preset dev -R 'Gone|gone'",
                                    {"fuzz"})
    tests = Tests(root)
    assert dotted == {"Gone.IsNamed*", "fuzz.gone"} and alone == {"AGoneTest"} and patterns == {"Gone|gone"}
    assert not any(map(tests.has, dotted | alone)) and not tests.run_by("Gone\\.|fuzz.gone")
    assert tests.has("house.named_tests") and tests.run_by("^house.*named")


def main(root):
    self_test(root)
    found, tried = missing(root)
    found += unproven(root)
    print("\n".join(found) or f"{tried} tests named in documents exist")
    return 1 if found or tried < 200 else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
