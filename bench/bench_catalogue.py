"""The whole catalogue of published figures: seconds of simulation, recipe by recipe, after one run for compiled code.

Their authors' notebook needs about 4 minutes for the recipes of arXiv:2412.17646, by the progress lines that it
keeps; that is no peer in the same run, so no ratio is saved.
"""

from fastcollapse.analysis.reproduction import reproduce, reproducible


def main() -> None:
    """Run the catalogue twice and print the second."""
    names = list(reproducible())
    for _ in reproduce(names):
        pass
    total = 0.0
    for one in reproduce(names):
        print(one.line())
        total += one.seconds if one.name.startswith("sur-") else 0.0
    print(f"  all SUR recipes: {total:.2f} s of simulation")


if __name__ == "__main__":
    main()
