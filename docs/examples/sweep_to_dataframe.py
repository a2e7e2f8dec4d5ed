"""A sweep from a TOML file to a pandas DataFrame: the entropy that is left, by sample size and workflow."""

from pathlib import Path

import fastcollapse

fastcollapse.run_sweep(Path(__file__).parent / "study.toml", "study")  # run it again: only missing points are computed
table = fastcollapse.open_sweep("study").to_dataframe()  # a row for each number
last = table[(table["metric"] == "entropy") & (table["generation"] == table["generation"].max())]
means = last.groupby(["workflow", "n_samples"])["value"].agg(["mean", "sem"])
print(means)
