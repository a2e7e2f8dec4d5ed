"""A mixture of two Gaussians, fitted by scikit-learn to its own points, after arXiv:2305.17493.

The paper has 500 to 200,000 points and up to 2,000 generations; the mixture is our own choice. Examples:

    python gaussian_mixture.py                                  # 500 and 1,000 points, 100 generations
    python gaussian_mixture.py --samples 200000 --generations 2000 --processes 8
"""

import argparse
from pathlib import Path

import numpy as np
from sklearn.mixture import GaussianMixture

from fastcollapse import Experiment, simulate

RECIPE = Path(__file__).parents[2] / "data" / "recipes" / "curse-gmm.toml"


def share_on_the_right(state):
    """Return the share of the points at the right of the valley: 1/2 in the truth, near 0 or 1 once a mode is lost."""
    if state.generation == 0:
        return 0.5
    return float((state["points"][:, 0] > 0).mean())


def main():
    """Run the experiment at each size and print what is left of the mixture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, nargs="+", default=[500, 1000])
    parser.add_argument("--generations", type=int, default=100)
    parser.add_argument("--replicates", type=int, default=4)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="Write a results file for each number of points.")
    chosen = parser.parse_args()
    print("points  generation      nll  variance  share of the replicates with a mode below 5 %")
    for n in chosen.samples:
        values = {
            "workflow.n_samples": n,
            "run.n_generations": chosen.generations,
            "run.n_replicates": chosen.replicates,
        }
        experiment = Experiment.from_toml(RECIPE).with_values(values)
        path = None if chosen.folder is None else chosen.folder / f"gaussian-mixture-{n}.h5"
        results = simulate(
            experiment,
            path,
            model=GaussianMixture,
            metrics={"share_on_the_right": share_on_the_right},
            threads=chosen.processes,
        )
        share = results.metrics["share_on_the_right"]
        for t in np.unique(np.rint(np.geomspace(1, chosen.generations, 6)).astype(int)):
            lost = (np.minimum(share[:, t], 1 - share[:, t]) < 0.05).mean()
            nll, variance = results.metrics["nll"][:, t].mean(), results.metrics["within_variance"][:, t].mean()
            print(f"{n:6d} {t:11d} {nll:8.3f} {variance:9.3f} {lost:8.2f}")


if __name__ == "__main__":
    main()
