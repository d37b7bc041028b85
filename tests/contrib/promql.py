"""As much of PromQL as it takes to know which metrics and labels an expression uses. promtool judges the grammar."""
import re

TOKEN = re.compile(r'\s+|"(?:[^"\\]|\\.)*"|[A-Za-z_:$][\w:$]*|[0-9][\w.]*|=~|!~|!=|==|<=|>=|.', re.S)
LABEL_LISTS = {"by", "without", "on", "ignoring", "group_left", "group_right"}
NOT_METRICS = {"or", "and", "unless", "bool", "offset", "inf", "nan"} | LABEL_LISTS


def findings(expr, metrics, target_labels, fixed_values, fixed_values_of):
    """What is wrong with the names in an expression: unknown metrics, labels they do not have, values that never occur."""
    tokens = [token for token in TOKEN.findall(expr) if not token.isspace()]
    found, listed, used = [], [], set()
    i = 0
    while i < len(tokens):
        token, after = tokens[i], tokens[i + 1] if i + 1 < len(tokens) else ""
        if token in LABEL_LISTS and after == "(":
            end = tokens.index(")", i)
            listed += [t for t in tokens[i + 2:end] if t != ","]
            i = end + 1
            continue
        if token == "{" or (re.match(r"[A-Za-z_:]", token) and token not in NOT_METRICS
                            and after not in ("(", "by", "without")):
            names = [token] if token != "{" else []
            i += token != "{"
            matchers, i = _matchers(tokens, i)
            for label, operator, value in matchers:
                if label == "__name__":
                    names += value.split("|")
            for name in names:
                if name not in metrics:
                    found.append(f"unknown metric {name}")
                    continue
                used.add(name)
                found += _wrong_matchers(name, matchers, metrics[name][1] | target_labels, fixed_values, fixed_values_of)
            continue
        if token == "[":
            i = tokens.index("]", i)
        i += 1
    known = target_labels.union(*(metrics[name][1] for name in used)) if used else target_labels
    found += [f"label {label} in a by, on or without list, which no metric of the expression has"
              for label in listed if label not in known]
    return found, used, known


def _matchers(tokens, i):
    """[(label, operator, value)] of the braces at i, if there are any, and where they end."""
    matchers = []
    if i < len(tokens) and tokens[i] == "{":
        end = tokens.index("}", i)
        inner = [t for t in tokens[i + 1:end] if t != ","]
        matchers = [(inner[k], inner[k + 1], inner[k + 2][1:-1]) for k in range(0, len(inner), 3)]
        i = end + 1
    return matchers, i


def _wrong_matchers(name, matchers, labels, fixed_values, fixed_values_of):
    for label, operator, value in matchers:
        if label == "__name__" or "$" in value:
            continue
        if label not in labels:
            yield f"{name} has no label {label}"
            continue
        allowed = fixed_values_of.get((name, label)) or fixed_values.get(label)
        values = value.split("|") if "~" in operator else [value]
        for wrong in allowed and [v for v in values if v not in allowed and not re.search(r"[.*+?]", v)] or []:
            yield f"{name}: {label} is never {wrong!r}"
