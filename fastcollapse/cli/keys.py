"""Commands `keys` and `new`: the keys of an experiment file, as a list and as a template."""

import click

_SECTIONS = {
    "[model]": "the family and its parameters",
    "[truth]": "the law or the data of generation 0",
    "[workflow]": "the data that each generation is fitted to",
    "[sampling]": "maps of the model before it is sampled; optional",
    "[run]": "length, replicates, seed, and what is recorded",
    "[recipe]": "title, source and panels of a figure; optional, see docs/reference/experiment_file.md",
    "[sweep]": "values that vary between the points of a sweep, see docs/how_to/cluster.md",
}


@click.command()
@click.argument("family", required=False)
def keys(family: str | None) -> None:
    """List the keys of an experiment file for a FAMILY, with their values, defaults and help, and its metrics.

    Without FAMILY the sections, the families and the workflows are listed.

    \b
    fastcollapse keys gaussian
    """
    click.echo(_overview() if family is None else _keys_of(family), nl=False)


@click.command()
@click.argument("family")
def new(family: str) -> None:
    """Print an experiment file for a FAMILY to edit: every key with its help; it runs as it is.

    \b
    fastcollapse new gaussian > my.toml
    fastcollapse run my.toml
    """
    from fastcollapse.simulation.experiment_template import experiment_template

    click.echo(experiment_template(family), nl=False)


def _keys_of(family: str) -> str:
    from fastcollapse.simulation.parameter_table import described_metrics, parameters

    formatter = click.get_current_context().make_formatter()
    by_section: dict[str, list[tuple[str, str]]] = {}
    for one in parameters(family):
        by_section.setdefault(one.key.partition(".")[0], []).append(
            (one.key, f"{one.help}; {one.kind} [{one.default}]")
        )
    for section, rows in by_section.items():
        with formatter.section(f"[{section}]"):
            formatter.write_dl(rows, col_max=28)
    with formatter.section("Metrics, for run.record"):
        formatter.write_dl(list(described_metrics(family).items()), col_max=28)
    return formatter.getvalue().lstrip("\n")


def _overview() -> str:
    from fastcollapse.config.workflows import WORKFLOWS
    from fastcollapse.simulation.parameter_table import described_families, first_clause

    formatter = click.get_current_context().make_formatter()
    tables = {
        "Sections of an experiment file": _SECTIONS,
        "Families, for fastcollapse keys FAMILY": described_families(),
        "Workflows": {name: first_clause(workflow) for name, workflow in WORKFLOWS.items()},
    }
    for heading, rows in tables.items():
        with formatter.section(heading):
            formatter.write_dl(list(rows.items()))
    return formatter.getvalue().lstrip("\n")
