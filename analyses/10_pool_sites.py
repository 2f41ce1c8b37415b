"""What do several hospitals find together, and how much do they differ, when no patient may leave a hospital?

python analyses/10_pool_sites.py [STUDY STUDY ...]

Each study file stands for a hospital, named by its folder. Each writes its own site file as `sexstrat cells` does,
counts that have passed disclosure control or, where too many are small, its shares of men by age; then they are
pooled as by `sexstrat pool`. Without study files three hospitals of different size are simulated.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from sexstrat.study import load_study
from sexstrat.study.pool_text import pool_rows
from sexstrat.study.simulated import write_simulated_study
from sexstrat.study.site_export import export_site
from sexstrat.study.site_pooling import pool_files

HOSPITALS = {"north": 30_000, "south": 20_000, "east": 12_000}  # patients


def main() -> None:
    """Write a site file for each hospital, pool them, and print the ratios and how far the hospitals differ."""
    with TemporaryDirectory() as temporary:
        folder, given = Path(temporary), [Path(name) for name in sys.argv[1:]]
        given = given or [
            write_simulated_study(folder / name, n_patients=n, seed=seed)
            for seed, (name, n) in enumerate(HOSPITALS.items())
        ]
        files = []
        for path in given:
            site = path.absolute().parent.name
            sent = export_site(load_study(path), folder / "runs" / site, folder / "sent" / site, site=site)
            print(f"{site} sends {sent.kind} ({sent.detail})")
            for condition, n in sent.n_patients.items():
                print(f"  {condition}: {n:,} patients, {sent.withheld[condition]:,} of them in cells that are withheld")
            files.append(sent.folder)
        found = pool_files(files, folder / "pooled")
        for title, header, rows in pool_rows(found):
            print(f"\n{title}\n{pd.DataFrame(rows, columns=header).to_string(index=False)}")
        print()
        print(*(f"note: {note}" for note in found.notes), sep="\n")


if __name__ == "__main__":
    main()
