"""Rules that a study declares for its audit, and what an interval says about one: pass, fail or cannot tell."""

from __future__ import annotations

from dataclasses import dataclass

from sexstrat.audit.influence import INFLUENCE_METRICS

__all__ = ["COMPARISONS", "RULE_METRICS", "Rule", "judge"]

RULE_METRICS = INFLUENCE_METRICS
COMPARISONS = ("not_below", "not_above", "within", "ratio_at_least", "at_least", "at_most")
"""Of a difference: not more than the limit below, above, or either way; of a ratio; of the metric by itself."""

OF_TWO = ("not_below", "not_above", "within", "ratio_at_least")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One declared rule.

    Parameters
    ----------
    metric : what must hold, of the images in scope.
    comparison : one of ``COMPARISONS``.
    limit : of the difference, the ratio or the metric.
    against : another metric of the same images that it is compared with; or empty.
    group, level_name : grouping variable and group in scope; empty for all images.
    reference : group of the same variable that it is compared with; or empty.
    age_from, age_before : ages in scope, first year and first year after; None for any.
    confidence : level of the two-sided interval that decides.
    name : what the study calls it.

    Raises
    ------
    ValueError : a comparison of two with nothing, or two things, to compare with; a value out of range.

    Examples
    --------
    >>> Rule(
    ...     metric="correct_among_women", against="correct_among_men", comparison="not_below", limit=0.05, age_from=70
    ... ).sentence
    'correct_among_women at ages 70 and over is not more than 0.05 below correct_among_men (90 % confidence)'
    """

    metric: str
    comparison: str
    limit: float
    against: str = ""
    group: str = ""
    level_name: str = ""
    reference: str = ""
    age_from: int | None = None
    age_before: int | None = None
    confidence: float = 0.9
    name: str = ""

    def __post_init__(self) -> None:
        for problem in self._problems():
            raise ValueError(problem)

    def _problems(self) -> list[str]:
        found = [
            f"{key}: no such metric {value!r}; allowed: {', '.join(RULE_METRICS)}"
            for key, value in (("metric", self.metric), ("against", self.against))
            if value and value not in RULE_METRICS
        ]
        if self.comparison not in COMPARISONS:
            found.append(f"comparison: found {self.comparison!r}; allowed: {', '.join(COMPARISONS)}")
        paired = bool(self.against) + bool(self.reference)
        if self.comparison in OF_TWO and paired != 1:
            found.append(
                f"comparison {self.comparison} needs one thing to compare with: against (another metric) or reference "
                f"(another group); found {'both' if paired else 'neither'}"
            )
        if self.comparison not in OF_TWO and paired:
            found.append(f"comparison {self.comparison} is about the metric by itself; leave out against and reference")
        if self.against and self.against == self.metric:
            found.append(f"against: the metric is compared with itself, {self.metric!r}")
        if bool(self.group) != bool(self.level_name):
            found.append("group and level_name: give both, the grouping variable and the group, or neither")
        if self.reference and not self.group:
            found.append("reference: needs group and level_name, the group that is compared with it")
        if self.reference and self.reference == self.level_name:
            found.append(f"reference: the group is compared with itself, {self.reference!r}")
        if self.age_from is not None and self.age_before is not None and self.age_from >= self.age_before:
            found.append(f"age_from must be below age_before; found {self.age_from} and {self.age_before}")
        if self.limit < 0:
            found.append(f"limit must be at least 0; found {self.limit}")
        if not 0.5 <= self.confidence <= 0.999:
            found.append(f"confidence must lie between 0.5 and 0.999; found {self.confidence}")
        return found

    @property
    def sentence(self) -> str:
        """Say the rule in words."""
        scope = f" in {self.group} {self.level_name}" if self.group else ""
        if self.age_from is not None and self.age_before is not None:
            scope += f" at ages {self.age_from} to {self.age_before - 1}"
        elif self.age_from is not None:
            scope += f" at ages {self.age_from} and over"
        elif self.age_before is not None:
            scope += f" at ages under {self.age_before}"
        other = self.against or f"in {self.group} {self.reference}"
        claim = {
            "not_below": f"is not more than {self.limit:g} below {other}",
            "not_above": f"is not more than {self.limit:g} above {other}",
            "within": f"is within {self.limit:g} of {other}",
            "ratio_at_least": f"is at least {self.limit:g} times {other}",
            "at_least": f"is at least {self.limit:g}",
            "at_most": f"is at most {self.limit:g}",
        }[self.comparison]
        return f"{self.metric}{scope} {claim} ({100 * self.confidence:g} % confidence)"


def judge(rule: Rule, low: float, high: float) -> tuple[str, str]:
    """Say what an interval says about a rule.

    ``pass``: the whole interval keeps the rule. ``fail``: the whole interval breaks it. ``cannot tell``: the interval
    holds values that keep it and values that break it. With a two-sided interval at level c, a rule in one direction
    that truly just holds fails in (1 − c)/2 of studies.

    Parameters
    ----------
    rule : the rule.
    low, high : limits of the difference, ratio or metric at the rule's confidence.

    Returns
    -------
    Outcome and the reason.

    References
    ----------
    Piaggio et al. 2012, JAMA 308:2594 (CONSORT for non-inferiority: figure 1).

    Examples
    --------
    >>> rule = Rule(metric="accuracy", group="site", level_name="a", reference="b", comparison="not_below", limit=0.05)
    >>> [judge(rule, *limits)[0] for limits in ((-0.03, 0.02), (-0.12, -0.06), (-0.12, 0.04))]
    ['pass', 'fail', 'cannot tell']
    """
    lowest, highest = {
        "not_below": (-rule.limit, float("inf")),
        "not_above": (-float("inf"), rule.limit),
        "within": (-rule.limit, rule.limit),
        "ratio_at_least": (rule.limit, float("inf")),
        "at_least": (rule.limit, float("inf")),
        "at_most": (-float("inf"), rule.limit),
    }[rule.comparison]
    if lowest <= low and high <= highest:
        return "pass", "the whole interval keeps the rule"
    if high < lowest or low > highest:
        return "fail", "the whole interval breaks the rule"
    return "cannot tell", "the interval holds values that keep the rule and values that break it"
