#!/usr/bin/env python3
"""The Markdown documents as the package ships them: a link leads to where its target is installed, and where that is not
shipped the text says where it is in the source.

    documents.py SOURCE TARGET      writes below TARGET what is installed below share/
"""

import os
import pathlib
import re
import shutil
import sys

# What cmake/Package.cmake installs where: below share/, or an absolute path.
PLACES = {
    "docs": "doc/sqlbak-gateway",
    "etc/gateway.toml": "/etc/sqlbak-gateway/gateway.toml",
    "etc/examples": "doc/sqlbak-gateway/examples",
    "etc/prometheus": "doc/sqlbak-gateway/examples/prometheus",
    "contrib/alerts": "sqlbak-gateway/alerts",
    "contrib/grafana/README.md": "sqlbak-gateway/grafana/README.md",
    "contrib/grafana/dashboards": "sqlbak-gateway/grafana/dashboards",
    "contrib/grafana/provisioning": "sqlbak-gateway/grafana/provisioning",
}
NOT_SHIPPED = ("docs/images", "docs/package-test.md")


def place(path):
    """Where a path of the source is installed; None: nowhere."""
    if any(path == left or path.startswith(left + "/") for left in NOT_SHIPPED):
        return None
    for source, installed in PLACES.items():
        if path == source or path.startswith(source + "/"):
            return installed + path[len(source):]
    return None


def rewritten(text, document):
    def link(found):
        label, target = found[1], found[2]
        file, hash_sign, anchor = target.partition("#")
        if not file or "://" in target:
            return found[0]
        path = os.path.normpath(os.path.join(os.path.dirname(document), file))
        installed = place(path)
        if installed is None:
            return f"{label} (in the source)" if os.path.dirname(path) in label else f"{label} (`{path}` in the source)"
        if not os.path.isabs(installed):
            installed = os.path.relpath(installed, os.path.dirname(place(document)))
        return f"[{label}]({installed}{hash_sign}{anchor})"

    parts = re.split(r"(?s)(```.*?```)", text)
    parts[::2] = [re.sub(r"!?\[((?:`[^`]*`|[^\[\]])+)\]\(([^)\s]+)\)", link, part) for part in parts[::2]]
    return "".join(parts)


def main(source, target):
    shutil.rmtree(target, ignore_errors=True)
    for folder in ("docs", "contrib"):
        for file in sorted((source / folder).rglob("*.md")):
            document = file.relative_to(source).as_posix()
            if installed := place(document):
                written = target / installed
                written.parent.mkdir(parents=True, exist_ok=True)
                written.write_text(rewritten(file.read_text(encoding="utf-8"), document), encoding="utf-8")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
