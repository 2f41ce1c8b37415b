"""The linear programs of the disclosure gate give what another way of solving them gives, and say nothing aloud."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import csr_array

from sexstrat.disclosure.least_changes import LeastChanges
from sexstrat.disclosure.linear_program import LinearProgram, forced_to_zero
from sexstrat.disclosure.solvable import Known

NOTHING = np.inf


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return sums over 12 classes, of which some are shown exactly, some within limits, and the people themselves."""
    rng = np.random.default_rng(seed)
    people = rng.integers(0, 4, 12) * rng.integers(0, 9, 12).astype(float)
    rows = rng.integers(0, 2, (7, 12)).astype(float)
    rows[6] = -rows[0] + rng.integers(0, 2, 12)
    wide = np.array([0, 0, 0, 2, 3, NOTHING, NOTHING])
    made = rows @ people
    return rows, made - wide, made + np.array([0, 0, 0, 1, 2, 4, 3]), people


@pytest.mark.parametrize("seed", range(6))
def test_answers_are_those_of_another_solver(seed: int) -> None:
    """One program asked for many sums, one after another, gives each the least and the most that scipy finds anew."""
    rows, low, high, people = drawn(seed)
    program, rng = LinearProgram(csr_array(rows), low=low, high=high), np.random.default_rng(seed)
    for _ in range(12):
        cost = rng.integers(-1, 2, 12).astype(float)
        sums = [(-row, -least) for row, least in zip(rows, low, strict=True) if np.isfinite(least)]
        sums += list(zip(rows, high, strict=True))
        least = linprog(cost, A_ub=np.array([one for one, _ in sums]), b_ub=[limit for _, limit in sums])
        found, at = program.least(cost)
        if least.status == 3:
            assert found == -np.inf
            continue
        assert found == pytest.approx(least.fun, abs=1e-6)
        assert found <= cost @ people + 1e-6
        assert at.min() >= -1e-7
        assert ((rows @ at >= low - 1e-6) & (rows @ at <= high + 1e-6)).all()


@pytest.mark.parametrize("seed", range(4))
def test_a_limit_for_once_is_that_of_another_solver(seed: int) -> None:
    """A sum held to a limit gives what a program made with it gives, and is free again afterwards."""
    rows, low, high, _ = drawn(seed)
    cost, held = np.arange(12.0), np.vstack([rows, np.eye(12)])
    free = np.full(12, NOTHING)
    program = LinearProgram(csr_array(held), low=np.append(low, -free), high=np.append(high, free))
    plain = program.least(cost)[0]
    for one in range(12):
        limit = program.least(np.eye(12)[one])[0] + 0.5
        found, at = program.least_within(cost, 7 + one, -NOTHING, limit)
        made = LinearProgram(
            csr_array(held[[*range(7), 7 + one]]), low=np.append(low, -NOTHING), high=np.append(high, limit)
        )
        assert found == pytest.approx(made.least(cost)[0], abs=1e-6)
        assert at[one] <= limit + 1e-6
        assert program.least(cost)[0] == pytest.approx(plain, abs=1e-6)


def test_many_counts_at_once_are_judged_as_each_alone() -> None:
    """Which counts can be as small, and which as large, as a limit is what the extremes of each say."""
    rows, low, high, _ = drawn(3)
    known = Known(always=csr_array((0, 12)), rows=csr_array(rows), low=low, high=high)
    counts = np.vstack([np.eye(12), np.eye(12) + np.roll(np.eye(12), 1, axis=1)])
    extremes = np.array([known.extremes(counted) for counted in counts])
    small, large = known.reaching(counts, 1.0, 6.0)
    assert small.tolist() == (extremes[:, 0] <= 1.0 + 1e-6).tolist()
    assert large.tolist() == (extremes[:, 1] >= 6.0 - 1e-6).tolist()
    assert 0 < small.sum() < len(counts)
    assert 0 < large.sum() < len(counts)


def test_who_is_in_no_sum_of_nobody_stays() -> None:
    """A sum that is 0 empties its classes, and those that are at most as many; a difference empties nobody."""
    rows = csr_array(np.array([[1.0, 1, 0, 0, 0], [-1, 0, 1, 0, 0], [0, 0, 0, 1, -1]]))
    assert forced_to_zero(rows, np.zeros(3)).tolist() == [True, True, True, False, False]
    assert not forced_to_zero(rows, np.array([1.0, 0.0, 0.0])).any()


def test_numbers_that_contradict_each_other_are_told() -> None:
    """Nobody solves for a count from numbers that cannot all be true."""
    rows = csr_array(np.array([[1.0, 1.0], [1.0, 0.0]]))
    told, asked = np.array([3.0, 4.0]), np.array([-1.0, 0.0])
    with pytest.raises(ValueError, match="contradict"):
        LinearProgram(rows, low=told, high=told).least(asked)
    with pytest.raises(ValueError, match="contradict"):  # what is asked for has no limit, either
        LinearProgram(rows, low=told, high=np.array([3.0, np.inf])).least(asked - 1.0)
    with pytest.raises(ValueError, match="contradict"):  # a sum over nobody that is 3
        LinearProgram(csr_array(np.zeros((1, 2))), low=told[:1], high=told[:1]).least(asked)


def test_what_is_withheld_already_is_changed_first() -> None:
    """A number that costs nothing more is changed before any that is shown, and is not named again."""
    rows, told = np.array([[1.0, 1.0], [0.0, 1.0]]), np.array([10.0, 8.0])
    known = Known(always=csr_array((0, 2)), rows=csr_array(rows), low=told, high=told)
    changes = LeastChanges(known, np.array([[-1.0, 0.0]]), np.array([-4.0]))
    assert changes.of(0, np.array([1.0, 5.0]))[0].tolist() == [0]
    changed, people = changes.of(0, np.array([1.0, 0.0]))
    assert changed.tolist() == []
    assert people[0] >= 4.0 - 1e-7


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    """The solver greets nobody: what a command prints as a document stays a document."""
    LinearProgram(csr_array(np.array([[1.0]])), low=np.array([1.0]), high=np.array([2.0])).least(np.array([1.0]))
    assert capfd.readouterr().out == ""
