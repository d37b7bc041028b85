#!/usr/bin/env python3
"""Holds the sources to the two include rules of docs/architecture.md.

1. A layer includes only itself and the layers below it.
2. Third-party libraries stay inside .cpp files (and headers private to src/<layer>) of the layers that own them; no
   header under include/ names one.

Run with the project's root as the only argument. `--self-test` shows that broken trees are found.
"""

import pathlib
import re
import sys
import tempfile

# What each layer may include, besides itself. Transitive use is spelt out: the table is the architecture.
LAYERS = {
    "base": set(),
    "account": {"base"},
    "evaluation": {"base", "account"},
    "exposition": {"base", "account", "evaluation"},
    "sqlbak": {"base", "account"},
    "history": {"base", "account"},
    "upstream": {"base"},
    "config": {"base", "account"},
    "http": {"base"},
    "gateway": {"base", "account", "evaluation", "exposition", "sqlbak", "history", "upstream", "config", "http"},
    "program": {"base", "account", "config", "history", "upstream", "http", "gateway"},
}

# Which layers may use a library, by how its headers begin.
LIBRARIES = {
    "Poco/": {"http"},
    "curl/": {"upstream"},
    "toml++/": {"config"},
    "nlohmann/": {"sqlbak", "gateway"},
    "sqlite3": {"history"},
    "prometheus/": {"gateway"},
    "openssl/": {"base", "upstream", "http"},
    "zlib": {"http"},
    "crypt.h": {"gateway"},
    "systemd/": {"program"},
}

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')
OWN = re.compile(r"^sqlbak_gateway/(\w+)/")


def violations(root):
    found = []
    for top in ("include/sqlbak_gateway", "src"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix not in (".h", ".cpp"):
                continue
            parts = path.relative_to(root / top).parts
            layer = parts[0] if len(parts) > 1 else None  # src/main.cpp may use everything
            if layer is None:
                continue
            if layer not in LAYERS:
                found.append(f"{path.relative_to(root)}: folder {layer!r} is no layer")
                continue
            public = top.startswith("include")
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                match = INCLUDE.match(line)
                if not match:
                    continue
                header = match.group(1)
                where = f"{path.relative_to(root)}:{number}"
                own = OWN.match(header)
                if own and own.group(1) != layer and own.group(1) not in LAYERS[layer]:
                    found.append(f"{where}: layer {layer} must not use layer {own.group(1)}")
                for prefix, owners in LIBRARIES.items():
                    if header.startswith(prefix):
                        if public:
                            found.append(f"{where}: a public header must not name {header}")
                        elif layer not in owners:
                            found.append(f"{where}: only {', '.join(sorted(owners)) or 'main'} may use {header}")
    return found


def self_test():
    cases = {
        "include/sqlbak_gateway/base/x.h": '#include "sqlbak_gateway/account/run.h"\n',
        "include/sqlbak_gateway/http/x.h": "#include <Poco/Net/Socket.h>\n",
        "src/http/x.cpp": '#  include <curl/curl.h>\n',
        "src/strange/x.cpp": "int x;\n",
    }
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in cases.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        found = violations(root)
    assert len(found) == len(cases), found


def main():
    self_test()
    found = violations(pathlib.Path(sys.argv[1]))
    print("\n".join(found) or "every include keeps to the layers")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
