"""Pictures of results: `plots.py RESULTS FOLDER`, in the environment of scripts/load.sh."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

Found = dict[str, Any]

BLUE, ORANGE, GREEN, RED, GREY = "#2b6cb0", "#dd6b20", "#2f855a", "#c53030", "#718096"
_COLOURS = (BLUE, ORANGE, GREEN, RED, "#6b46c1", "#0987a0", "#b7791f", GREY)
_DOTS_PER_INCH = 90


def draw(results: Path, folder: Path) -> None:
    """Whatever there are results of."""
    folder.mkdir(parents=True, exist_ok=True)
    plt.rcParams.update(
        {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.25}
    )
    for name, pictures in _PICTURES.items():
        path = results / f"{name}.json"
        if path.exists():
            found = json.loads(path.read_text("utf-8"))
            for picture, paint in pictures.items():
                paint(found, folder / f"{picture}.png")


def ramp(found: Found, path: Path) -> None:
    """Latency and what was served over what was sent."""
    steps = found["steps"]
    rates = [step["rate"] for step in steps]
    figure, (above, below) = plt.subplots(2, 1, figsize=(7, 5), sharex=True)
    above.plot(rates, rates, color=GREY, linestyle=":", label="planned")
    above.plot(rates, [step["served_a_second"] for step in steps], color=GREEN, marker="o", label="served")
    above.set_ylabel("requests a second")
    for percent, colour in ((50, BLUE), (95, ORANGE), (99, RED)):
        below.plot(rates, [step[f"p{percent}_ms"] for step in steps], color=colour, marker="o", label=f"p{percent}")
    below.set(ylabel="ms", yscale="log", xlabel="planned requests a second")
    for axes in (above, below):
        axes.axvline(found["capacity"], color=GREY, linewidth=1)
        axes.legend(frameon=False)
    above.set_title(f"Ramp: capacity {found['capacity']:.0f} requests a second")
    _save(figure, path)


def course(found: Found, path: Path) -> None:
    """Throughput and latency over time."""
    figure, (above, below) = plt.subplots(2, 1, figsize=(7, 5), sharex=True)
    _throughput(above, found)
    _latency(below, found)
    above.set_title("What was answered, and how soon")
    _save(figure, path)


def routes(found: Found, path: Path) -> None:
    """Median and p95 of each route."""
    rows = sorted(found["routes"].items(), key=lambda row: row[1]["p95_ms"])
    rows = [(name, row) for name, row in rows if row["served_a_second"] > 0]
    places = range(len(rows))
    figure, axes = plt.subplots(figsize=(7, 0.24 * len(rows) + 1.2))
    axes.barh(places, [row["p95_ms"] for _, row in rows], color=ORANGE, height=0.7, label="p95")
    axes.barh(places, [row["p50_ms"] for _, row in rows], color=BLUE, height=0.7, label="p50")
    axes.set_yticks(places, [name for name, _ in rows])
    axes.set(xlabel="ms", title=f"Latency by route at {found['rate']:.0f} requests a second")
    axes.grid(visible=False, axis="y")
    axes.legend(frameon=False, loc="lower right")
    _save(figure, path)


def overload(found: Found, path: Path) -> None:
    """What was served and refused, and how long the served waited, before, in and after the storm."""
    figure, (above, below) = plt.subplots(2, 1, figsize=(7, 5), sharex=True)
    _throughput(above, found)
    _latency(below, found)
    ends = [sum(seconds for seconds, _ in found["stages"][: number + 1]) for number in range(len(found["stages"]))]
    for axes in (above, below):
        axes.axvspan(ends[1], ends[2], color=RED, alpha=0.07)
    above.set_title(f"Five times {found['rate']:.0f} requests a second (shaded), and after it")
    _save(figure, path)


def soak(found: Found, path: Path) -> None:
    """Memory by program and connections to the database."""
    samples = found["samples"]
    minutes = [at / 60 for at in samples["at"]]
    figure, (above, below) = plt.subplots(2, 1, figsize=(7, 5.5), sharex=True, height_ratios=(3, 1))
    ordered = sorted(samples["memory_mib"].items(), key=lambda one: -one[1][-1])
    for (name, values), colour in zip(ordered, _COLOURS * 2, strict=False):
        if name != "senders":
            above.plot(minutes, values, color=colour, linewidth=1.2, label=f"{name} {values[-1]:.0f}")
    above.set(ylabel="MiB (own)", title="Memory of each program, connections to PostgreSQL")
    above.set_ylim(bottom=0)
    above.legend(frameon=False, ncols=4, fontsize=8, loc="upper left", bbox_to_anchor=(0, 1.0))
    above.set_ylim(top=above.get_ylim()[1] * 1.3)
    below.step(minutes, samples["connections"], color=BLUE, where="post")
    below.set(ylabel="connections", xlabel="minutes")
    below.set_ylim(bottom=0)
    _save(figure, path)


def processors(found: Found, path: Path) -> None:
    """Cores in use, program by program."""
    samples = found["samples"]
    minutes = [at / 60 for at in samples["at"][1:]]
    ordered = sorted(samples["processor"].items(), key=lambda one: -sum(one[1]))
    figure, axes = plt.subplots(figsize=(7, 3.2))
    axes.stackplot(
        minutes,
        [_smooth(values[1:]) for _, values in ordered],
        labels=[name for name, _ in ordered],
        colors=[_COLOURS[number % len(_COLOURS)] for number in range(len(ordered))],
        alpha=0.85,
    )
    axes.set(ylabel="cores", xlabel="minutes", title="Who uses the two cores")
    axes.legend(frameon=False, ncols=1, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    _save(figure, path)


def _throughput(axes: Axes, found: Found) -> None:
    slices = found["slices"]
    at = [one["t"] for one in slices]
    step = at[1] - at[0]
    sent, served = [one["sent_a_second"] for one in slices], [one["served_a_second"] for one in slices]
    axes.step(at, sent, where="post", color=GREY, linestyle=":", label="sent")
    axes.step(at, served, where="post", color=GREEN, label="served")
    axes.step(at, [one["shed"] / step for one in slices], where="post", color=ORANGE, label="refused (429, 503)")
    failed = [(one["errors"] + one["unanswered"]) / step for one in slices]
    if any(failed):
        axes.step(at, failed, where="post", color=RED, label="failed or unanswered")
    axes.set_ylabel("requests a second")
    axes.legend(frameon=False, fontsize=8)


def _latency(axes: Axes, found: Found) -> None:
    slices = [one for one in found["slices"] if one["served_a_second"] > 0]
    at = [one["t"] for one in slices]
    for percent, colour in ((50, BLUE), (95, ORANGE), (99, RED)):
        axes.plot(
            at, [one[f"p{percent}_ms"] for one in slices], color=colour, linewidth=1.2, label=f"p{percent} of served"
        )
    axes.set(ylabel="ms", yscale="log", xlabel="seconds")
    axes.legend(frameon=False, fontsize=8)


def _smooth(values: list[float], width: int = 5) -> list[float]:
    return [
        sum(values[max(0, place - width) : place + width + 1]) / len(values[max(0, place - width) : place + width + 1])
        for place in range(len(values))
    ]


def _save(figure: Any, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, dpi=_DOTS_PER_INCH)
    plt.close(figure)


_PICTURES = {
    "ramp": {"ramp": ramp},
    "mix": {"mix": course, "routes": routes, "mix-processors": processors},
    "overload": {"overload": overload},
    # A run of the release before, kept by hand under this name.
    "overload-before": {"overload-before": overload},
    "soak": {"soak": soak, "soak-latency": course},
}

if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]))
