"""How rounds become a verdict: a slip here would let a missed gate pass."""

from __future__ import annotations

from tests.benchmarks.harness import Comparison, Target, take_turns

AT_LEAST = Target(0, "more is better", gate=0.5, stretch=0.9)
AT_MOST = Target(0, "less is better", gate=1.2, stretch=1.05, at_most=True)


def test_what_counts_is_the_median_of_the_rounds_ratios() -> None:
    # The machine was slow in the second round, for both.
    comparison = Comparison(AT_LEAST, "things / s", ours=[80, 10, 90], floor=[100, 20, 90])
    assert comparison.ratio == 0.8


def test_a_ratio_at_its_gate_passes_and_one_beyond_it_does_not() -> None:
    assert Comparison(AT_LEAST, "", ours=[5], floor=[10]).passes
    assert not Comparison(AT_LEAST, "", ours=[4], floor=[10]).passes


def test_where_less_is_better_a_ratio_above_the_gate_does_not_pass() -> None:
    assert Comparison(AT_MOST, "", ours=[12], floor=[10]).passes
    assert not Comparison(AT_MOST, "", ours=[13], floor=[10]).passes


def test_whoever_was_measured_last_is_measured_first_in_the_next_round() -> None:
    seen: list[str] = []

    def measure(name: str) -> float:
        seen.append(name)
        return len(seen)

    found = take_turns(2, lambda: measure("ours"), lambda: measure("floor"))

    assert seen == ["ours", "floor", "floor", "ours"]
    assert found == [[1, 4], [2, 3]]
