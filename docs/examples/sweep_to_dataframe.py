"""A sweep from a TOML file to a pandas DataFrame: the entropy that is left, by sample size and workflow."""

from pathlib import Path

import xarray

from fastcollapse import Sweep, run_sweep
from fastcollapse.sweeps import collect_sweep

HERE = Path(__file__).parent

sweep = Sweep.from_toml(HERE / "study.toml")
outcome = run_sweep(sweep, "study")  # run it again: only missing points are computed
assert outcome.succeeded, "see `fastcollapse status study`"
Path("study.h5").unlink(missing_ok=True)
collect_sweep("study", "study.h5")

with xarray.open_dataset("study.h5") as dataset:
    table = dataset["entropy"].to_dataframe()  # a row for each point, replicate and generation
last = table.xs(table.index.get_level_values("generation").max(), level="generation")
means = last.groupby(["workflow", "n_samples"])["entropy"].agg(["mean", "sem"])
print(means)
