"""The command that simulates a cohort with known truth: a named setting, and every knob of it as an option."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sexstrat.cli.terminal import emit_json, print_line, print_table, progress_line

__all__ = ["register", "simulate"]

DESIGNS = "random, known_probability, modelled, may_depend_on_sex, external or none; left out: as the knobs imply"


def register(app: typer.Typer) -> None:
    """Add this command to the tree."""
    app.command()(simulate)


def _knob(help_text: str, *names: str) -> Any:
    return typer.Option(*names, help=f"{help_text}.", show_default=False)


Number = float | None


def simulate(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option("--out", help="Folder for the study file and its tables.")] = Path("simulated"),
    setting: Annotated[
        str, typer.Option("--setting", help="Where to begin; --list names the settings. Knobs then change it.")
    ] = "error_by_disease",
    patients: Annotated[
        int | None, typer.Option("--patients", min=100, max=100_000_000, help="Left out: as the setting says.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 1,
    file_format: Annotated[
        str, typer.Option("--format", help="csv or parquet, for all tables but the scores; parquet when large.")
    ] = "csv",
    list_settings: Annotated[bool, typer.Option("--list", help="Print the settings and exit.")] = False,
    mean_age: Annotated[Number, _knob("Location of the ages, years")] = None,
    prevalence: Annotated[Number, _knob("Share diseased")] = None,
    male_share: Annotated[Number, _knob("Share of men")] = None,
    male_by_age: Annotated[Number, _knob("Log odds of being a man per decade")] = None,
    disease_by_male: Annotated[Number, _knob("Log odds ratio of disease, men over women")] = None,
    disease_by_age: Annotated[Number, _knob("Log odds ratio of disease per decade")] = None,
    disease_by_male_age: Annotated[Number, _knob("Their product")] = None,
    auc: Annotated[Number, _knob("AUC of one eye's score")] = None,
    trained_male_share: Annotated[Number, _knob("Share of men the score is calibrated for")] = None,
    slope: Annotated[Number, _knob("Reported logit per calibrated logit; above 1 is overconfident")] = None,
    intercept: Annotated[Number, _knob("Reported logit where the calibrated one is 0")] = None,
    shift_men: Annotated[Number, _knob("Shift of the score in diseased men, SD")] = None,
    shift_women: Annotated[Number, _knob("Shift of the score in diseased women, SD")] = None,
    shift_by_age: Annotated[Number, _knob("Shift of the score per decade, SD")] = None,
    separation_by_age: Annotated[Number, _knob("Separation lost per decade, relative")] = None,
    one_eye: Annotated[Number, _knob("Share with one photographed eye")] = None,
    one_eye_diseased: Annotated[Number, _knob("The same among the diseased")] = None,
    eye_correlation: Annotated[Number, _knob("Correlation of the two eyes' errors")] = None,
    no_image: Annotated[Number, _knob("Share without a gradable photograph")] = None,
    by_eye: Annotated[bool | None, _knob("Disease recorded by eye, or by person", "--by-eye/--by-person")] = None,
    both_eyes: Annotated[Number, _knob("Share of diseased women with both eyes affected")] = None,
    both_eyes_by_male: Annotated[Number, _knob("Log odds ratio of that, men over women")] = None,
    validated: Annotated[Number, _knob("Share whose sex is recorded")] = None,
    recorded_by_age: Annotated[Number, _knob("Log odds of being recorded per decade")] = None,
    recorded_by_disease: Annotated[Number, _knob("The same, diseased over well")] = None,
    recorded_by_male: Annotated[Number, _knob("The same, men over women")] = None,
    recorded_by_score: Annotated[Number, _knob("The same per 4 units of logit")] = None,
    recorded_wrong: Annotated[Number, _knob("Share of the recorded sexes that are wrong")] = None,
    design: Annotated[str | None, _knob(f"Declared design: {DESIGNS}")] = None,
    sites: Annotated[int | None, _knob("Hospitals, or units in each stratum; 0 for none")] = None,
    site_size_sd: Annotated[Number, _knob("SD of the logarithm of their sizes")] = None,
    site_prevalence_sd: Annotated[Number, _knob("SD of their log odds of disease")] = None,
    site_male_sd: Annotated[Number, _knob("SD of their log odds of being a man")] = None,
    site_score_sd: Annotated[Number, _knob("SD of their shift of the score")] = None,
    survey: Annotated[bool | None, _knob("Four strata sampled unequally, with weights")] = None,
    response_by_age: Annotated[Number, _knob("Log odds of responding per decade; makes a survey")] = None,
    external_patients: Annotated[int | None, _knob("People of known sex elsewhere; 0 for none")] = None,
    external_mean_age: Annotated[Number, _knob("Location of their ages, years")] = None,
    external_prevalence: Annotated[Number, _knob("Share diseased there")] = None,
    external_male_share: Annotated[Number, _knob("Share of men there")] = None,
    external_disease_by_male: Annotated[Number, _knob("Log odds ratio of disease there; left out: as here")] = None,
    external_auc: Annotated[Number, _knob("AUC there; left out: as here")] = None,
    external_shift_men: Annotated[Number, _knob("Shift in diseased men there")] = None,
    external_shift_women: Annotated[Number, _knob("Shift in diseased women there")] = None,
    target: Annotated[str | None, _knob("population or cohort: whom the estimates are about")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print exactly one JSON document on stdout.")] = False,
) -> None:
    """Write a simulated cohort with known truth, and a study file that runs on it.

    Begin with a named setting and turn its knobs; each knob refuses values outside its range and says what it allows.
    """
    if list_settings:
        _list(json=json)
        return
    _simulate(dict(ctx.params))


def _simulate(given: dict[str, Any]) -> None:
    from sexstrat.simulation import knob_names, with_knobs
    from sexstrat.study.simulated import chosen_setting, write_simulated_study

    knobs = {name: value for name, value in given.items() if name in knob_names() and name != "patients"}
    turned = [name for name, value in knobs.items() if value is not None]
    name = given["setting"] + "".join(f", {knob} {knobs[knob]}" for knob in turned)
    one = with_knobs(chosen_setting(given["setting"]), **knobs, name=name)
    patients = one.patients if given["patients"] is None else given["patients"]
    study = write_simulated_study(
        given["out"],
        setting=one,
        n_patients=patients,
        seed=given["seed"],
        file_format=given["file_format"],
        tell=progress_line,
    )
    if given["json"]:
        answer = {"ok": True, "study": str(study), "setting": one.name, "patients": patients, "seed": given["seed"]}
        truth = str(study.with_name("population_truth.json"))
        emit_json(
            answer
            | {"design": one.design.value, "knobs": {name: knobs[name] for name in turned}, "population_truth": truth}
        )
        return
    print_line(f"{patients:,} simulated patients, setting {one.name}: {study}")
    print_line(f"next: sexstrat run {study} --out {given['out'] / 'out'}")


def _list(*, json: bool) -> None:
    from sexstrat.simulation import described, setting, settings

    every = [setting(name) for name in settings()]
    if json:
        emit_json({"ok": True, "settings": [described(one) for one in every]})
        return
    print_table(["setting", "what is special about it"], [[one.name, one.about] for one in every])
