"""The Markdown documents of the project, and the fenced blocks in them."""

import os
import pathlib
import re
from dataclasses import dataclass

SOURCE = pathlib.Path(os.environ["SQLBAK_GATEWAY_SOURCE"])


@dataclass
class Block:
    document: str
    line: int  # of its first fence
    language: str
    text: str

    def __str__(self):
        return f"{self.document}:{self.line}"


def documents():
    """The documents for users: names relative to the project's root."""
    found = [SOURCE / "README.md", SOURCE / "CONTRIBUTING.md", *(SOURCE / "docs").rglob("*.md"),
             *(path for path in (SOURCE / "contrib").rglob("*.md") if "node_modules" not in path.parts)]
    return sorted(str(path.relative_to(SOURCE)) for path in found)


def text_of(document):
    return (SOURCE / document).read_text(encoding="utf-8")


def blocks(document, language=None):
    """Its fenced blocks, of that language only where one is given ("" for those without)."""
    found, begun = [], None
    for number, line in enumerate(text_of(document).splitlines(), 1):
        fence = re.fullmatch(r"\s*```(\w*)", line)
        if not fence:
            if begun:
                begun.text += line + "\n"
        elif begun:
            found.append(begun)
            begun = None
        else:
            begun = Block(document, number, fence[1], "")
    assert begun is None, f"{begun}: the block never ends"
    return [block for block in found if language is None or block.language == language]
