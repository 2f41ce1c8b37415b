"""Make the study tables of ODIR-5K from its published ones, hiding the recorded sex of a random 80 % of patients.

python analyses/odir5k_prepare.py [OUT] [--shared ../shared/data] [--seed 1]

Writes images.csv, persons.csv (sex hidden), truth.csv (sex shown), conditions.csv. The photographs stay where they are.
Age 1 is a placeholder in this set: those ages are written as missing, so the patients are lost with a reason.
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


def write_tables(odir: Path, out: Path, seed: int) -> None:
    """Write the four study tables into ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    patients = read_patients(odir)
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
    print(f"tables of ODIR-5K with sex hidden for {SHARE_HIDDEN:.0%}: {arguments.out}")


if __name__ == "__main__":
    main()
