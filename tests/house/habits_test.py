#!/usr/bin/env python3
"""Holds the sources to the habits of CONTRIBUTING.md that a script can check: short functions, test names, one word for one
thing, and documents that name paths which exist. clang-tidy also checks the length of functions, but CI does not run it.

Run with the project's root as the only argument. `self_test` shows that each habit's breach is found.
"""

import pathlib
import re
import sys
import tempfile

MOST_LINES = 60  # of a function's body
MOST_NAME = 50  # characters of a test's name

# What the glossary has another word for.
WORDS = {
    r"\bailing\b": "degraded",
    r"\bgives? way\b": "preempt, or evict",
    r"\bwaiting places?\b": "waiting slots",
    r"\bshared bod(?:y|ies)\b": "response cache",
}

FOLDERS = ("bench", "cmake", "contrib", "docs", "etc", "include", "packaging", "scripts", "src", "tests")

TEST = re.compile(r"^TEST(?:_[FP])?\(\w+,\s*(\w+)\)", re.MULTILINE)
PYTHON_TEST = re.compile(r"^    def test_(\w+)\(", re.MULTILINE)


def without_text(code):
    """C++ without comments and literals, line by line as before."""
    code = re.sub(r'R"(\w*)\((?:.|\n)*?\)\1"', lambda found: "\n" * found[0].count("\n"), code)
    return re.sub(r"""//.*|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'""", "", code)


def long_functions(path, text):
    """clang-format puts the brace that ends a body on a line of its own, at most as deep as a member of a nested class."""
    lines, opened = without_text(text).splitlines(), []
    for number, line in enumerate(lines, 1):
        for brace in re.findall(r"[{}]", line):
            if brace == "{":
                opened.append(number)
            else:
                begin = opened.pop()
        if re.fullmatch(r" {0,4}\} *", line) and number - begin > MOST_LINES and "namespace" not in lines[begin - 1]:
            yield f"{path}:{begin}: a body of {number - begin} lines; at most {MOST_LINES}"


def test_names(path, text):
    for name in TEST.findall(text):
        if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name):
            yield f"{path}: the test {name} is not in CamelCase"
    for name in TEST.findall(text) + PYTHON_TEST.findall(text):
        if len(name) > MOST_NAME:
            yield f"{path}: the test {name} has {len(name)} characters; at most {MOST_NAME}"


def words(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        for word, better in WORDS.items():
            if re.search(word, line, re.IGNORECASE):
                yield f"{path}:{number}: {line.strip()!r}: the glossary has {better!r}"


def paths(root):
    """Every path of the source that a document names in `code` exists."""
    for file in sorted([*root.glob("*.md"), *root.glob("docs/**/*.md"), root / "bench/README.md", *root.glob("contrib/*/README.md")]):
        for path in re.findall(rf"`((?:{'|'.join(FOLDERS)})/[\w./*-]+)`", file.read_text(encoding="utf-8")):
            if not any(root.glob(path.rstrip("/"))):
                yield f"{file.relative_to(root)}: there is no {path}"


def breaches(root):
    found = []
    for pattern, checks in {"src/**/*.cpp": (long_functions, words), "src/**/*.h": (long_functions, words),
                            "include/**/*.h": (long_functions, words), "tests/**/*_test.cpp": (test_names, words),
                            "tests/**/*_test.py": (test_names,), "docs/**/*.md": (words,)}.items():
        for file in sorted(root.glob(pattern)):
            if "node_modules" not in file.parts:
                for check in checks:
                    found += check(file.relative_to(root), file.read_text(encoding="utf-8"))
    return found + list(paths(root))


def self_test():
    cases = {
        "src/long.cpp": "void f() {\n" + "  g('}', \"{\");  // {\n" * 61 + "}\n",
        "src/word.h": "// An ailing account.\n",
        "tests/x/long_test.cpp": f"TEST(Case, {'A' * 51}) {{}}\n",
        "tests/x/style_test.cpp": "TEST_F(Case, says_so) {}\n",
        "tests/x/long_test.py": f"    def test_{'a' * 51}(self):\n",
        "docs/lost.md": "See `src/lost.cpp` and `src/*.cpp`.",
        "bench/README.md": "",
    }
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in cases.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        found = breaches(root)
        assert len(found) == len(cases) - 1 and all(any(name in line for line in found) for name in cases if "bench" not in name), found


def main(root):
    self_test()
    found = breaches(root)
    print("\n".join(found) or "the sources keep to the habits")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
