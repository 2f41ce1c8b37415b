"""E4 and E5 where the people whose sex is known may differ from the others: learn from them, test, carry over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sexstrat.estimates.cell_em import cell_em, nondifferential_em
from sexstrat.estimates.compose_input import ComposeInput, refused
from sexstrat.estimates.composition import Composition
from sexstrat.estimates.diagnosis.nondifferential import nondifferential_among
from sexstrat.estimates.diagnosis.transport import TransportTest, transport_test
from sexstrat.estimates.diagnosis.validated_people import validated_people
from sexstrat.estimates.refusal import labelled_refusal

__all__ = ["carried", "differential_refusal", "from_external", "from_own_rows", "without_disease"]


def _p(found: TransportTest) -> str:
    """Return the p-value as it is printed."""
    value = 1.0 if found.p_value is None else found.p_value
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def _labelled(given: ComposeInput) -> str:
    return f"{round(given.labelled.n[given.labelled.validated].sum()):,}"


def _transport(given: ComposeInput) -> TransportTest:
    return transport_test(given.arrays.chosen(~given.arrays.validated), given.labelled)


def carried(given: ComposeInput, estimator: str, made: Callable[[], Composition]) -> Composition:
    """Return an estimate carried over from labelled people, where the others' scores fit what those taught.

    Parameters
    ----------
    given : the input.
    estimator : its name.
    made : makes the estimate.

    Returns
    -------
    ``refused`` where the transport test rejects; ``assumption`` in place of ``model_based`` where it cannot be made.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> given = worked_input()
    >>> carried(given, "E4", lambda: cell_em(given, given.arrays, why="an example")).state
    'assumption'
    """
    if (reason := labelled_refusal(given)) is not None:
        return refused(given, estimator, f"No corrected estimate: {reason}.")
    found = _transport(given)
    told = {"transport_p_value": found.p_value, "transport_deviance": found.deviance, "transport_df": found.df}
    if found.rejects:
        return refused(
            given,
            estimator,
            "No corrected estimate: among men or among women the score is distributed differently than among the "
            f"people whose sex is known (transport test {_p(found)}), so that its errors cannot be carried "
            "over.",
            diagnostics=told,
        )
    estimate = made()
    told = {**estimate.diagnostics, **told}
    if estimate.state == "refused" or found.passes:
        return replace(estimate, diagnostics=told)
    return replace(
        estimate,
        state="assumption" if estimate.state == "model_based" else estimate.state,
        band_state=tuple("assumption" if state == "model_based" else state for state in estimate.band_state),
        warnings=(*estimate.warnings, f"The transport of the score's errors could not be tested: {found.note}."),
        diagnostics=told,
    )


def _transported(given: ComposeInput, why: str) -> Composition:
    """Return E4 where the scores of the people without recorded sex fit what the labelled people taught."""
    return carried(given, "E4", lambda: cell_em(given, given.labelled, why=why))


def from_own_rows(given: ComposeInput) -> Composition:
    """Return E4 with the cohort's own validated patients as teachers, where recording may depend on sex.

    Parameters
    ----------
    given : the input.

    Returns
    -------
    State ``model_based`` where the transport test passes, ``assumption`` where it cannot be made, else ``refused``.

    Examples
    --------
    A score of two values fits any mixture, so that nothing can be tested.

    >>> from sexstrat.estimates.worked_example import worked_input
    >>> one = from_own_rows(worked_input())
    >>> one.state, one.crude_pi.round(2).tolist()
    ('assumption', [0.5, 0.67])
    """
    return _transported(
        given,
        "Recording may depend on sex itself, so that the validated patients only teach how scores differ between men "
        "and women; the share of men among the others is found from their scores.",
    )


def from_external(given: ComposeInput) -> Composition:
    """Return E4 with an external cohort as teachers, or E5 where it was not looked at for the disease.

    Parameters
    ----------
    given : the input.

    Returns
    -------
    As :func:`from_own_rows`; E5 has state ``assumption``.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_arrays, worked_input
    >>> given = replace(worked_input(), external=worked_arrays(), external_has_disease=False)
    >>> one = from_external(given)
    >>> one.estimator, one.state
    ('E5', 'assumption')
    """
    if given.external is not None and not given.external_has_disease:
        return without_disease(
            given,
            why=f"Sex is known for {_labelled(given)} people of another cohort that was not looked at for this "
            "disease, so errors of the score are assumed not to differ by it.",
        )
    return _transported(
        given,
        f"Sex is known for {_labelled(given)} people of another cohort; how scores differ between men and women of an "
        "age and disease state is carried over from there, not the share of men.",
    )


def differential_refusal(given: ComposeInput) -> str | None:
    """Return why errors that differ by disease cannot be ruled out, with the intervals measured, or None (E5, E6).

    Parameters
    ----------
    given : the input; its labelled people were looked at for the disease.

    Examples
    --------
    Fifty validated women with the disease cannot show that the score is blind to it.

    >>> from sexstrat.estimates.worked_example import worked_input
    >>> "do not both lie within 0.1 SD of 0" in differential_refusal(worked_input())
    True
    """
    judged = nondifferential_among(validated_people(given.labelled))
    return None if judged.shown else f"that the score's errors do not differ by disease is not shown: {judged.reason}"


def without_disease(given: ComposeInput, *, why: str) -> Composition:
    """Return E5, which takes errors of the score to be alike with and without the disease, or say why not.

    Where the labelled people were looked at for the disease that must be shown: the 90 % interval of the shift of
    logit p by disease lies within 0.1 SD in either sex. Where they were not, it is the assumption.

    Parameters
    ----------
    given : the input.
    why : why this estimator.

    Returns
    -------
    State ``assumption`` or ``refused``.

    Examples
    --------
    Fifty validated women with the disease cannot show that the score is blind to it.

    >>> from sexstrat.estimates.worked_example import worked_input
    >>> without_disease(worked_input(), why="an example").state
    'refused'
    """
    reason = labelled_refusal(given)
    if reason is None and given.external_has_disease:
        reason = differential_refusal(given)
        if reason is None and (found := _transport(given)).rejects:
            reason = f"the transport test rejects ({_p(found)})"
    if reason is not None:
        return refused(given, "E5", f"No corrected estimate: {reason}.")
    return nondifferential_em(given, given.labelled, why=why)
