#!/usr/bin/env python3
"""docs/configuration.md as the manual page gateway.toml(5): one text, two forms.

    from_markdown.py VERSION <docs/configuration.md >gateway.toml.5

Knows the Markdown of that document, no more: headings, paragraphs, lists, fenced code, tables, code, bold and links. A
table of keys becomes a list, each key with its type, default and range.
"""

import re
import sys

HEAD = '''.\\" Made from docs/configuration.md; change that.
.TH GATEWAY.TOML 5 "" "sqlbak-gateway {version}" "File formats"
.SH NAME
gateway.toml \\- configuration of sqlbak-gateway
.SH SYNOPSIS
.I /etc/sqlbak-gateway/gateway.toml
.SH DESCRIPTION
'''
TAIL = '''.SH FILES
.I /etc/sqlbak-gateway/gateway.toml
as it is installed sets nothing and shows every key.
.br
.I /usr/share/doc/sqlbak-gateway/examples
has whole configurations.
.SH SEE ALSO
.BR sqlbak-gateway (8),
.BR systemd.exec (5)
for
.IR LoadCredential=
'''


def escaped(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("…", "\\&...")
    return re.sub(r"(?m)^\.", r"\\&.", text)


def inline(text):
    """Code and bold become bold, links their text."""
    parts = re.split(r"(`[^`]+`|\*\*[^*]+\*\*)", re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", text))
    made = ""
    for part in parts:
        marked = re.fullmatch(r"(?s)`([^`]+)`|\*\*([^*]+)\*\*", part)
        made += f"\\fB{escaped((marked[1] or marked[2]).replace('`', ''))}\\fP" if marked else escaped(part)
    return made


def cells(row):
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))]


def table(rows):
    head, body = cells(rows[0]), [cells(row) for row in rows[2:]]
    for row in body:
        named = dict(zip(head, row))
        yield ".TP\n" + inline(row[0])
        if "meaning" not in named:  # a table of cases: each further column with its heading
            yield "\n.br\n".join(f"{inline(name)}: {inline(cell)}" for name, cell in zip(head[1:], row[1:]))
            continue
        facts = [named["type"]] if "type" in named else []
        facts += [f"default {named['default']}"] if named["default"] else []
        facts += [named["range"]] if named["range"] else []
        if facts:
            yield "(" + inline("; ".join(facts)) + ")\n.br"
        yield inline(named["meaning"])


def blocks(text):
    """Runs of lines that belong together; fenced code is one run, its fences included."""
    run, fenced = [], False
    for line in text.splitlines():
        fence = line.startswith("```")
        if not fenced and (not line or fence or line.startswith(("#", "- "))) and run:
            yield run
            run = []
        if line or fenced:
            run.append(line)
        if fence:
            if fenced:
                yield run
                run = []
            fenced = not fenced
    if run:
        yield run


def page(text, version):
    yield HEAD.format(version=version)
    for run in blocks(text):
        first = run[0]
        if first.startswith("# "):
            continue
        if first.startswith("## "):
            yield ".SH " + inline(first[3:])
        elif first.startswith("#"):
            yield ".SS " + inline(first.lstrip("# "))
        elif first.startswith("```"):
            yield ".PP\n.in +4n\n.nf\n" + "\n".join(escaped(line) for line in run[1:-1]) + "\n.fi\n.in"
        elif first.startswith("- "):
            yield ".IP \\(bu 2\n" + inline("\n".join([first[2:]] + [line.strip() for line in run[1:]]))
        elif first.startswith("|"):
            yield from table(run)
        else:
            yield ".PP\n" + inline("\n".join(run))
    yield TAIL


if __name__ == "__main__":
    print("\n".join(part.rstrip("\n") for part in page(sys.stdin.read(), sys.argv[1])))
