"""Make the study tables of ODIR-5K from its published ones, hiding the recorded sex of a random 80 % of patients.

python analyses/odir5k_prepare.py [OUT] [--shared ../shared/data] [--seed 1]

For the study: images.csv, persons.csv (sex hidden), truth.csv (sex shown), conditions.csv. Age 1 is a placeholder in
this set; the study has those ages as missing, so the patients are lost with a reason.
For training: labels.csv (sex shown, ages as distributed) and groups.csv (people found under several ids).
For the external test: external_images.csv and external_labels.csv of HEI-MED. The photographs stay where they are.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

DISEASES = {
    "D": "diabetes",
    "G": "glaucoma",
    "C": "cataract",
    "A": "macular_degeneration",
    "H": "hypertension",
    "M": "pathological_myopia",
    "O": "other_disease",
}
SHARE_HIDDEN = 0.8


def hide_sex(patients: pd.DataFrame, seed: int) -> pd.Series:
    """Return recorded sex with a simple random sample of 20 % left and the rest empty."""
    n_kept = round(len(patients) * (1 - SHARE_HIDDEN))
    kept = np.random.default_rng(seed).permutation(len(patients))[:n_kept]
    shown = pd.Series("", index=patients.index, dtype="str")
    shown.iloc[kept] = patients["recorded_sex"].iloc[kept]
    return shown


def read_patients(odir: Path) -> pd.DataFrame:
    """Return one row per patient: patient_id, age_years (missing where a placeholder), recorded_sex, the flags."""
    patients = pd.read_csv(odir / "odir5k_patients.csv", dtype={"patient_id": "str"}, keep_default_na=False)
    patients["recorded_sex"] = patients["sex"].str.lower()
    patients["age_years"] = patients["age"].astype("Int64").mask(patients["age"] == 1)
    return patients


def write_training_tables(odir: Path, out: Path, patients: pd.DataFrame) -> None:
    """Write labels.csv, with placeholder ages as distributed, and groups.csv into ``out``."""
    labels = patients.assign(age_years=patients["age"])[["patient_id", "age_years", "recorded_sex"]]
    labels.to_csv(out / "labels.csv", index=False)
    issues = pd.read_csv(odir / "odir5k_known_issues.csv", dtype={"patient_id": "str"}, keep_default_na=False)
    same = issues.loc[issues["issue"] == "same_person_other_id", ["patient_id", "group"]]
    same.drop_duplicates().to_csv(out / "groups.csv", index=False)


def write_external_tables(heimed: Path, out: Path) -> None:
    """Write images and labels of HEI-MED into ``out``; anything but Male and Female is unknown."""
    listed = pd.read_csv(heimed / "heimed.csv", dtype={"patient_id": "str"})
    paths = [str((heimed / file).resolve()) for file in listed["file"]]
    images = listed.assign(path=paths, eye=listed["eye"].str[0].str.upper())
    images[["image_id", "patient_id", "eye", "path"]].to_csv(out / "external_images.csv", index=False)
    people = listed.drop_duplicates("patient_id")
    sex = people["sex"].map({"Male": "male", "Female": "female"}).fillna("unknown")
    people = people.assign(age_years=people["age"], recorded_sex=sex)
    people[["patient_id", "age_years", "recorded_sex"]].to_csv(out / "external_labels.csv", index=False)


def write_tables(odir: Path, out: Path, seed: int) -> None:
    """Write the tables of ODIR-5K into ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    patients = read_patients(odir)
    write_training_tables(odir, out, patients)
    person = patients[["patient_id", "age_years", "recorded_sex"]]
    person.to_csv(out / "truth.csv", index=False)
    person.assign(recorded_sex=hide_sex(patients, seed)).to_csv(out / "persons.csv", index=False)
    flags = patients.rename(columns=DISEASES).melt(
        id_vars="patient_id", value_vars=list(DISEASES.values()), var_name="condition", value_name="present"
    )
    flags.assign(present=flags["present"].astype(bool)).to_csv(out / "conditions.csv", index=False)
    images = pd.read_csv(odir / "odir5k.csv", dtype={"patient_id": "str"}, keep_default_na=False)
    images["eye"] = images["eye"].map({"left": "L", "right": "R"})
    images["path"] = [str((odir / file).resolve()) for file in images["file"]]
    images[["image_id", "patient_id", "eye", "path"]].to_csv(out / "images.csv", index=False)


def main() -> None:
    """Read the arguments and write the tables."""
    repository = Path(__file__).resolve().parents[1]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", nargs="?", type=Path, default=repository / ".work" / "odir")
    parser.add_argument("--shared", type=Path, default=repository.parent / "shared" / "data")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    write_tables(arguments.shared / "odir5k", arguments.out, arguments.seed)
    write_external_tables(arguments.shared / "heimed", arguments.out)
    print(f"tables of ODIR-5K with sex hidden for {SHARE_HIDDEN:.0%}: {arguments.out}")


if __name__ == "__main__":
    main()
