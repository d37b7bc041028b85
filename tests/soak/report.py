"""Tables and plots of a soak, with nothing but the standard library."""

import html

COLOURS = ("#2563eb", "#dc2626", "#059669", "#d97706")
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 220, 70, 12, 34, 30


def nice_step(span):
    """A round distance between ticks, so that there are about four."""
    step = 1.0
    while step * 4 < span:
        step *= 10
    while step * 4 > span * 2.5:
        step /= 2 if step * 4 / span < 5 else 10
    return step


def plot(title, x_name, x, lines):
    """An SVG of some lines over x, from zero. `lines` is {name: values}; None leaves a gap."""
    top = max((value for values in lines.values() for value in values if value is not None), default=1) or 1
    top *= 1.08
    x_low, x_high = (x[0], x[-1]) if len(x) > 1 and x[-1] > x[0] else (0, 1)

    def at(px, py):
        across = LEFT + (px - x_low) / (x_high - x_low) * (WIDTH - LEFT - RIGHT)
        return f"{across:.1f},{HEIGHT - BOTTOM - py / top * (HEIGHT - TOP - BOTTOM):.1f}"

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
             f'font-size="11"><rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
             f'<text x="{LEFT}" y="18" font-size="13" font-weight="bold">{html.escape(title)}</text>']
    step = nice_step(top)
    tick = 0.0
    while tick <= top:
        _, y = at(x_low, tick).split(",")
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="#e5e7eb"/>'
                     f'<text x="{LEFT - 6}" y="{float(y) + 4:.1f}" text-anchor="end">{tick:g}</text>')
        tick += step
    step = nice_step(x_high - x_low) if x_high > x_low else 1
    tick = 0.0
    while tick <= x_high:
        if tick >= x_low:
            across, _ = at(tick, 0).split(",")
            parts.append(f'<text x="{across}" y="{HEIGHT - 12}" text-anchor="middle">{tick:g}</text>')
        tick += step
    parts.append(f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 1}" text-anchor="end">{html.escape(x_name)}</text>')
    for index, (name, values) in enumerate(lines.items()):
        colour = COLOURS[index % len(COLOURS)]
        run = []
        for px, py in [*zip(x, values), (None, None)]:
            if py is not None:
                run.append(at(px, py))
            elif run:
                parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{" ".join(run)}"/>')
                run = []
        parts.append(f'<text x="{WIDTH - RIGHT - 150 * (len(lines) - 1 - index)}" y="18" text-anchor="end" '
                     f'fill="{colour}">{html.escape(name)}</text>')
    return "\n".join(parts) + "\n</svg>\n"


def mean(values, begin, end):
    """The mean of the values from one fraction of them to another."""
    part = [value for value in values[int(len(values) * begin):int(len(values) * end)] if value is not None]
    return sum(part) / len(part) if part else None


def growth(values):
    """The mean of the second quarter (the first is the warm-up), and of the last."""
    return mean(values, 0.25, 0.5), mean(values, 0.75, 1)


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"
