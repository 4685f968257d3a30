"""What was measured, told as a table on a terminal, as RESULTS.md, and as the plot cpu.svg."""

import collections
import datetime
import os
import platform
import statistics
from xml.sax.saxutils import escape

import contestants

Round = collections.namedtuple("Round", "cpu_us rate p50_us p99_us")
Disturbance = collections.namedtuple("Disturbance", "foreign_median foreign_most stolen_most")
Verdict = collections.namedtuple("Verdict", "requirement measured verdict")
Bar = collections.namedtuple("Bar", "label low value high ratio ours")

HEADINGS = ["", "CPU µs/request", "(min–max)", "× bare MHD", "(min–max)", "requests/s", "p50 µs", "p99 µs"]
ONCE_HEADINGS = ["memory MiB", "first answer ms", "(min–max)"]


def span(values, digits):
    return f"({min(values):.{digits}f}–{max(values):.{digits}f})"


class Results:
    """The figures of all contestants, and what follows from them."""

    def __init__(self, measured, passes, rounds, disturbance):
        self.measured = measured
        self.by_label = {one.contestant.label: one for one in measured}
        self.passes = passes
        self.rounds = rounds
        self.disturbance = disturbance

    def ratios(self, label, connections, base=contestants.BASE):
        """Of each round, a contestant's CPU per request over the base's in that same round."""
        pair = self.by_label.get(label), self.by_label.get(base)
        if any(one is None or one.failure or connections not in one.rounds for one in pair):
            return []
        return [mine.cpu_us / other.cpu_us
                for mine, other in zip(pair[0].rounds[connections], pair[1].rounds[connections])]

    def rows(self, connections):
        """The table of one pass, as text: the headings first."""
        with_once = connections == self.passes[0]
        rows = [HEADINGS + (ONCE_HEADINGS if with_once else [])]
        for one in self.measured:
            label = one.contestant.label
            if one.failure or connections not in one.rounds:
                rows.append([label, "not measured"] + [""] * (len(rows[0]) - 2))
                continue
            cpu, rate, p50, p99 = zip(*one.rounds[connections])
            ratios = self.ratios(label, connections)
            row = [label, f"{statistics.median(cpu):.2f}", span(cpu, 2)]
            row += [f"{statistics.median(ratios):.2f}", span(ratios, 2)] if ratios else ["", ""]
            row += [f"{statistics.median(rate):,.0f}", f"{statistics.median(p50):.0f}", f"{statistics.median(p99):.0f}"]
            if with_once:
                row.append(f"{one.memory_kib / 1024:.1f}")
                row += [f"{statistics.median(one.starts_ms):.1f}", span(one.starts_ms, 1)] if one.starts_ms else ["", ""]
            rows.append(row)
        return rows

    def verdicts(self):
        """The required figures, and whether they are met."""
        connections = self.passes[0]
        berth = self.by_label.get(contestants.BERTH)
        found = []

        def judge(requirement, value, limit, unit, inclusive=True):
            if value is None:
                found.append(Verdict(requirement, "–", "not measured"))
                return
            met = value <= limit if inclusive else value < limit
            found.append(Verdict(requirement, f"{value:.3f} {unit}", "met" if met else "MISSED"))

        def ratio(base):
            ratios = self.ratios(contestants.BERTH, connections, base)
            return statistics.median(ratios) if ratios else None

        ratios = self.ratios(contestants.LOGGING, connections, contestants.BERTH)
        judge("access log to a pipe, CPU at most 1.35 × without", statistics.median(ratios) if ratios else None, 1.35, "×")
        known = berth and not berth.failure
        judge("constant reply, CPU at most 1.15 × bare libmicrohttpd", ratio(contestants.BASE), 1.15, "×")
        judge("constant reply, CPU below nginx", ratio(contestants.NGINX), 1, "×", inclusive=False)
        if contestants.UVICORN in self.by_label:
            judge("constant reply, CPU at most a sixth of uvicorn (0.167 ×)", ratio(contestants.UVICORN), 1 / 6, "×")
        judge("supervisor and one worker, at most 6 MiB of PSS", berth.memory_kib / 1024 if known else None, 6, "MiB")
        judge("from exec to the first answer, at most 10 ms (median)",
              statistics.median(berth.starts_ms) if known else None, 10, "ms")
        return found

    def tables(self):
        """Each table with its title, as rows of text with the headings first."""
        for connections in self.passes:
            noun = "connections" if connections > 1 else "connection (reported only)"
            yield f"{connections} {noun}", self.rows(connections)
        verdicts = [[verdict.requirement, verdict.measured, verdict.verdict] for verdict in self.verdicts()]
        yield "Required", [["", "measured", "verdict"]] + verdicts

    def notes(self):
        """What a reader needs to know to trust the figures, or not to."""
        said = [f"Medians of {self.rounds} rounds; the ratio is the median of the rounds' own ratios."]
        foreign, most, stolen = (round(100 * share) for share in self.disturbance)
        said.append(f"Other programs used {foreign} % of the two CPUs' time (median of the loads; at most {most} %); "
                    f"the host took at most {stolen} %.")
        if foreign > 10 or stolen > 10:
            said.append("**The machine was not quiet: measure again.**")
        said += [f"Not measured: {one.contestant.label}: {one.failure}" for one in self.measured if one.failure]
        return said

    def text(self):
        return "\n".join([tables_text(self.tables()), ""] + self.notes())

    def markdown(self):
        lines = ["# What was measured", "",
                 "Written by `make bench`; [README.md](README.md) says how. Lower is better, but for requests/s.", "",
                 "![Server CPU per request](cpu.svg)"]
        lines += tables_markdown(self.tables())
        lines += [""] + [f"- {note}" for note in self.notes()] + self.circumstances()
        return "\n".join(lines) + "\n"

    def circumstances(self):
        machine = f"{cpu_model()}, {os.cpu_count()} CPUs, Linux {kernel()} {platform.machine()}"
        said = ["", "## When, where, what", "",
                f"- {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC", f"- {machine}",
                f"- h2load (nghttp2) {contestants.said('h2load', '--version')}"]
        seen = {}
        for one in self.measured:
            seen.setdefault(one.contestant.server, one.contestant.label.partition(",")[0])
        for server, label in seen.items():
            version = server.version()
            if version:
                said.append(f"- {label}: {version}")
        return said

    def write(self, folder):
        with open(os.path.join(folder, "RESULTS.md"), "w", encoding="utf-8") as results:
            results.write(self.markdown())
        with open(os.path.join(folder, "cpu.svg"), "w", encoding="utf-8") as plot:
            plot.write(self.plot())

    def plot(self):
        connections = self.passes[0]
        bars = []
        for one in self.measured:
            if one.failure or connections not in one.rounds:
                continue
            label = one.contestant.label
            cpu = [turn.cpu_us for turn in one.rounds[connections]]
            ratios = self.ratios(label, connections)
            bars.append(Bar(label, min(cpu), statistics.median(cpu), max(cpu),
                            statistics.median(ratios) if ratios else None, label.startswith("berth")))
        return draw("Server CPU per request",
                    f"{connections} connections over a Unix socket; shorter is better. "
                    f"Bars: median of {self.rounds} rounds. Lines: from the least to the most.", bars)


def tables_text(tables):
    """Tables, each a title and rows of text with the headings first, for a terminal."""
    lines = []
    for title, rows in tables:
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        lines += ["", title]
        for row in rows:
            cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
            lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def tables_markdown(tables):
    """The same as lines of Markdown."""
    lines = []
    for title, rows in tables:
        lines += ["", f"## {title}", "", "| " + " | ".join(rows[0]) + " |",
                  "|" + "|".join(["---"] + ["--:"] * (len(rows[0]) - 1)) + "|"]
        lines += ["| " + " | ".join(row) + " |" for row in rows[1:]]
    return lines


def beside_markdown(title, command, what, run):
    """A whole file: what a run beside other servers has found, how, and where. It has tables, servers and options."""
    lines = [f"# {title}: what was measured", "",
             f"Written by `make {command}`; [README.md](README.md) says how. {what}, medians of "
             f"{run.options.rounds} rounds; the ratio is the median of the rounds' own ratios."]
    lines += tables_markdown(run.tables())
    lines += ["", f"- {cpu_model()}, {os.cpu_count()} CPUs, Linux {kernel()}"]
    lines += [f"- {server.name}: {server.version()}" for server in run.servers]
    return "\n".join(lines) + "\n"


def kernel():
    """The version without what a distribution or a host adds to it."""
    return platform.release().split("-")[0]


def cpu_model():
    with open("/proc/cpuinfo", encoding="utf-8") as cpuinfo:
        for line in cpuinfo:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return "unknown CPU"


# The plot brings its own background, so that it reads well whatever it is shown on.
STYLE = """
  text { font: 14px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 18px; font-weight: 600 }
  .note { font-size: 12px; fill: #59636e }
  .paper { fill: #ffffff; stroke: #d1d9e0 }
  .bar { fill: #9aa4af } .ours { fill: #1a7f6b }
  .span { stroke: #1f2328; stroke-width: 1.5 }
  .axis { stroke: #d1d9e0 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .note { fill: #9198a1 }
    .paper { fill: #0d1117; stroke: #3d444d }
    .bar { fill: #6e7681 } .ours { fill: #3fb89e }
    .span { stroke: #e6edf3 } .axis { stroke: #3d444d }
  }
"""
WIDTH, LEFT, RIGHT, TOP, STEP, THICK = 840, 230, 200, 84, 36, 20


def draw(title, note, bars):
    """Horizontal bars from zero, each with its value, its ratio and its span, as an SVG document."""
    height = TOP + STEP * len(bars) + 12
    scale = (WIDTH - LEFT - RIGHT) / max([bar.high for bar in bars] or [1])
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
           f'role="img" aria-label="{escape(title)}">', f"<title>{escape(title)}</title>", f"<style>{STYLE}</style>",
           f'<rect class="paper" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>',
           f'<text class="title" x="20" y="34">{escape(title)}</text>',
           f'<text class="note" x="20" y="56">{escape(note)}</text>',
           f'<line class="axis" x1="{LEFT}" x2="{LEFT}" y1="{TOP - 8}" y2="{height - 16}"/>']
    for index, bar in enumerate(bars):
        top = TOP + STEP * index
        middle, base = top + THICK / 2, top + THICK / 2 + 5
        ratio = f"{bar.ratio:.2f} × bare MHD" if bar.ratio else ""
        out += [f'<text x="{LEFT - 12}" y="{base}" text-anchor="end">{escape(bar.label)}</text>',
                f'<rect class="{"ours" if bar.ours else "bar"}" x="{LEFT}" y="{top}" height="{THICK}" '
                f'width="{bar.value * scale:.1f}" rx="2"/>',
                f'<line class="span" x1="{LEFT + bar.low * scale:.1f}" x2="{LEFT + bar.high * scale:.1f}" '
                f'y1="{middle}" y2="{middle}"/>',
                f'<text x="{LEFT + bar.high * scale + 8:.1f}" y="{base}">{bar.value:.1f} µs'
                f'<tspan class="note" dx="10">{escape(ratio)}</tspan></text>']
    return "\n".join(out + ["</svg>", ""])
