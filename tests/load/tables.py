"""Results as tables of Markdown: docs/load/results.md, written anew by every run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

Found = Mapping[str, Any]

_COLUMNS: Final = (
    ("sent / s", "sent_a_second"),
    ("served / s", "served_a_second"),
    ("p50 ms", "p50_ms"),
    ("p95 ms", "p95_ms"),
    ("p99 ms", "p99_ms"),
    ("429, 503", "shed"),
    ("5xx", "errors"),
    ("unanswered", "unanswered"),
    ("other 4xx", "refused"),
)
_HEAD: Final = """# Results of the last runs

Written by `make load`; what the profiles are and what the figures say is in [load.md](../load.md). Latencies are those
of requests that were served, as their senders saw them.
"""


def page(found: Mapping[str, Found], before: str = "") -> str:
    """Everything that there are results of; what only the page `before` tells of stays as it was there."""
    known = {section.partition("\n")[0].lower(): f"## {section.rstrip()}\n" for section in before.split("\n## ")[1:]}
    for name, write in _SECTIONS.items():
        if name in found:
            known[name] = f"## {name.capitalize()}\n\n{write(found[name])}\n{_around(found[name])}"
    return "\n".join([_HEAD, *(known[name] for name in _SECTIONS if name in known)])


def _ramp(found: Found) -> str:
    rows = [(f"planned {step['rate']:g} / s", step) for step in found["steps"]]
    return f"Capacity: {found['capacity']:g} requests a second.\n\n{_table('step', rows)}"


def _mix(found: Found) -> str:
    rows = [("**all**", found["summary"]), *found["routes"].items()]
    return f"At {found['rate']:g} requests a second.\n\n{_table('route', rows)}"


def _overload(found: Found) -> str:
    parts = [(name, found[name]) for name in ("before", "during", "after")]
    statuses = ", ".join(f"{status}: {many}" for status, many in sorted(found["statuses"].items()))
    recovered = found["recovered_after"]
    said = "not within the run" if recovered is None else f"{recovered:g} s after it ended"
    return f"{_table('part', parts)}\nStatuses in the storm: {statuses}. p95 was back {said}.\n"


def _soak(found: Found) -> str:
    growth = found["growth"]
    rows = [*growth["memory_mib"].items(), ("connections", growth["connections"])]
    lines = ["| | first | last | an hour |", "| --- | --- | --- | --- |"]
    lines += [f"| {name} | {row['first']:g} | {row['last']:g} | {row['an_hour']:+g} |" for name, row in rows]
    return f"{_mix(found)}\nMemory in MiB, and connections to PostgreSQL:\n\n" + "\n".join(lines) + "\n"


def _around(found: Found) -> str:
    """What every profile tells besides."""
    webhooks, confirmed, worked_off = found["webhooks"], found["confirmed"], found["worked_off"]
    seconds = confirmed["seconds"] or (0, 0)
    return (
        f"Webhooks: {webhooks['served_a_second']:g} a second, acknowledged at p99 within {webhooks['p99_ms']:g} ms. "
        f"{confirmed['bookings']} bookings were confirmed, half of them within {seconds[0]:.1f} s of the charge and 99 "
        f"in 100 within {seconds[1]:.1f} s. Left work was done {worked_off['seconds']:g} s after the load "
        f"({worked_off['left']} left). Invariants broken: {', '.join(found['broken']) or 'none'}. "
        f"Load average {found['load_average'][0]:.1f} to {found['load_average'][1]:.1f}.\n\n{_cost(found)}"
    )


def _cost(found: Found) -> str:
    """Cores in use on average, and what a request took of them."""
    samples, sent = found["samples"], found["whole"]["served_a_second"]
    cores = {name: sum(values[1:]) / max(1, len(values) - 1) for name, values in samples["processor"].items()}
    told = ", ".join(
        f"{name} {used / sent * 1000:.1f}" for name, used in sorted(cores.items(), key=lambda one: -one[1])
    )
    return f"Processor time for each served request, in ms: {told}.\n"


def _table(first: str, rows: Iterable[tuple[str, Found]]) -> str:
    lines = [_line([first, *(title for title, _ in _COLUMNS)]), _line(["---"] * (len(_COLUMNS) + 1))]
    lines += [_line([name, *(f"{row[key]:g}" for _, key in _COLUMNS)]) for name, row in rows]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


_SECTIONS: Final = {"ramp": _ramp, "mix": _mix, "overload": _overload, "soak": _soak}
