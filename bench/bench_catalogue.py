"""Simulation time of every recipe of a published figure, after one run for compilation.

No ratio is saved: the authors' notebook for arXiv:2412.17646 (about 4 minutes by its progress lines) is not run here.
"""

from harness import print_machine

from fastcollapse.analysis.reproduction import reproduce, reproducible


def main() -> None:
    """Run all recipes twice and print the second run."""
    print_machine()
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
