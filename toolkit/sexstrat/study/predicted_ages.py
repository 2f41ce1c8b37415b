"""Say of estimates that rest on ages a model predicted that they do: no interval carries that error."""

from __future__ import annotations

import pandas as pd

from sexstrat.errors import StudyError
from sexstrat.study.file import Study
from sexstrat.study.places import line_of

__all__ = ["NOTE", "on_predicted_ages", "refuse_predicted_ages"]

NOTE = "ages are predicted from photographs; the interval does not carry their error"
_PUT_RIGHT = ("corrected", "model_based", "recorded")  # states that vouch for a number


def on_predicted_ages(estimates: pd.DataFrame) -> pd.DataFrame:
    """Return estimates of which those by age or adjusted for it are ``assumption``, with a note.

    Errors of sex are corrected by patients whose sex is known; nothing corrects errors of age, which move patients
    between bands and flatten every course over age. A crude figure does not depend on the ages: the correction of
    sex is right at predicted ages as at recorded ones, since it is learned at the same.

    Parameters
    ----------
    estimates : rows of the ``estimate`` contract, made from cells in which some ages are predicted.

    Examples
    --------
    >>> rows = pd.DataFrame({"age_low": [None, 70, None], "standard": ["crude", "crude", "who_2000_2025"]})
    >>> rows = rows.assign(measure="prevalence", state="corrected", note=None)
    >>> on_predicted_ages(rows)["state"].tolist()
    ['corrected', 'assumption', 'assumption']
    """
    by_age = estimates["age_low"].notna() | (estimates["standard"] != "crude")
    by_age |= estimates["measure"].str.endswith("per_decade")
    marked = by_age & estimates["state"].isin(_PUT_RIGHT)
    done = estimates.copy()
    done.loc[marked, "state"] = "assumption"
    told = done.loc[marked, "note"].astype(object)
    done.loc[marked, "note"] = [NOTE if pd.isna(one) or not one else f"{one}; {NOTE}" for one in told]
    return done


def refuse_predicted_ages(study: Study) -> None:
    """Refuse to send out cells of a study that declares predicted ages: nothing in a cell says how its age is known.

    Parameters
    ----------
    study : the study.

    Raises
    ------
    StudyError : ages are predicted for some patients or all.
    """
    source = study.section("persons")["age_source"]
    if source != "recorded":
        where = line_of(study.path.read_text(encoding="utf-8-sig"), "persons", "age_source")
        raise StudyError(
            f"{study.path.name}: {where}persons.age_source: found {source!r}; allowed where cells leave the site: "
            "recorded; a cell does not say that its age was predicted, so whoever counts it would take it for recorded"
        )
