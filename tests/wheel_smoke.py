"""Run the built wheel where users run it: in clean environments outside the checkout (``make wheel``).

A core install, without TensorFlow, runs a study from a scores table; an install with [scoring] runs the demo.
"""

from __future__ import annotations

import argparse
import csv
import math
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
PATIENTS = 4000

STUDY = """schema_version = 1
title = "A study from a scores table"

[scores]
source = "scores.csv"

[persons]
source = "persons.csv"
sex_coding = { M = "male", F = "female", U = "unknown" }

[conditions]
source = "conditions.csv"

[validation]
design = "random"

[analysis]
age_bands = [40, 60]
"""


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        writer.writerows(rows)


def write_study(folder: Path) -> Path:
    """Write a study of simulated patients: a quarter with recorded sex, one score each, one disease."""
    draw = random.Random(20)
    persons, conditions, scores = [], [], []
    for number in range(PATIENTS):
        patient, male, age = f"p{number}", draw.random() < 0.5, draw.randint(40, 79)
        diseased = draw.random() < (0.3 if male else 0.2)
        prob_male = 1 / (1 + math.exp(-draw.gauss(1.5 if male else -1.5, 1.7)))
        persons.append((patient, age, ("M" if male else "F") if draw.random() < 0.25 else "U"))
        conditions.append((patient, "", "retinopathy", "true" if diseased else "false"))
        scores.append((f"i{number}", f"i{number}.jpg", patient, "R", "made-up", "0" * 64, f"{prob_male:.6f}"))
    write_table(folder / "persons.csv", ["patient_id", "age_years", "recorded_sex"], persons)
    write_table(folder / "conditions.csv", ["patient_id", "eye", "condition", "present"], conditions)
    header = ["image_id", "path", "patient_id", "eye", "model_id", "model_sha256", "prob_male"]
    fixed = ["precision", "decode", "status"]
    write_table(folder / "scores.csv", [*header, *fixed], [(*row, "float32", "exact", "ok") for row in scores])
    study = folder / "study.toml"
    study.write_text(STUDY, encoding="utf-8")
    return study


def call(*command: str | Path, folder: Path, expect: int = 0) -> str:
    """Run a command outside the checkout, with nothing of the caller's Python leaking in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, env=kept, capture_output=True, text=True, check=False
    )
    if done.returncode != expect:
        sys.exit(f"{' '.join(map(str, command))}\nleft {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def install(uv: str, wheel: Path, extras: str, folder: Path) -> Path:
    """Make a clean environment with the wheel in it and return its folder of commands."""
    call(uv, "venv", "--quiet", "--python", sys.executable, folder / "environment", folder=folder)
    commands = folder / "environment" / ("Scripts" if os.name == "nt" else "bin")
    constraints = ROOT / "constraints.txt"
    target = ["--python", str(commands / "python"), "--compile-bytecode"]
    call(
        uv,
        "pip",
        "install",
        "--quiet",
        *target,
        "-c",
        constraints,
        f"sexstrat{extras} @ {wheel.as_uri()}",
        folder=folder,
    )
    return commands


def core_install_runs_a_study(uv: str, wheel: Path, folder: Path) -> None:
    commands = install(uv, wheel, "", folder)
    absent = "import importlib.util as u; print([m for m in ('tensorflow', 'keras', 'openvino') if u.find_spec(m)])"
    assert call(commands / "python", "-c", absent, folder=folder).strip() == "[]"
    study = write_study(folder)
    call(commands / "sexstrat", "check", study, folder=folder)
    call(commands / "sexstrat", "run", study, "--out", folder / "out", folder=folder)
    page = (folder / "out" / "report.html").read_text(encoding="utf-8")
    assert "retinopathy" in page
    assert (folder / "out" / "tables" / "results.json").is_file()


def scoring_install_runs_the_demo(uv: str, wheel: Path, folder: Path) -> None:
    commands = install(uv, wheel, "[scoring]", folder)
    call(commands / "sexstrat", "demo", "--out", folder / "demo", folder=folder)
    page = (folder / "demo" / "report.html").read_text(encoding="utf-8")
    assert "simulated" in page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uv", required=True, help="the uv command")
    uv = str(Path(parser.parse_args().uv).resolve())
    with TemporaryDirectory(prefix="sexstrat-wheel-") as name:
        folder = Path(name)
        call(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder / "dist", ROOT, folder=folder)
        (wheel,) = (folder / "dist").glob("*.whl")
        for check in (core_install_runs_a_study, scoring_install_runs_the_demo):
            start = time.monotonic()
            (folder / check.__name__).mkdir()
            check(uv, wheel, folder / check.__name__)
            print(f"{wheel.name}: {check.__name__.replace('_', ' ')} ({time.monotonic() - start:.0f} s)")  # noqa: T201


if __name__ == "__main__":
    main()
