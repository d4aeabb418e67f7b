"""The command line. Only names and options are here; what a command does is imported when it is called."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from gnnmc.collector import importing
from gnnmc.errors import GnnmcError, InputError
from gnnmc.version import __version__

app = typer.Typer(
    name="gnnmc",
    help="Mode connectivity of graph neural networks: barriers, paths and what in the graph decides them.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a value of the config, such as train.epochs=100."),
]
Root = Annotated[Path | None, typer.Option(help="Folder of raw files, before GNNMC_DATA and the user's cache.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]


@app.command()
def run(
    config: Annotated[Path, typer.Argument(help="YAML file; see configs/.")],
    overrides: Overrides = None,
    out: Annotated[Path | None, typer.Option(help="Run folder; runs/NAME of the config by default.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:N, mps …; the config's by default.")] = None,
    engine: Annotated[str | None, typer.Option(help="stacked or loop; the config's by default.")] = None,
    quiet: Quiet = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Tell of each task as it begins and ends.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="At the end print one JSON object.")] = False,
) -> None:
    """Run a study, or go on with it, and write its report."""
    from gnnmc.commands.early import early_crew

    given = {"run.device": device, "run.engine": engine}
    asked = [*(overrides or []), *(f"{key}={value}" for key, value in given.items() if value is not None)]
    with early_crew(config, asked, out) as crew:
        with importing():
            from gnnmc.commands.run import run_study

        run_study(config, asked, out, crew=crew, quiet=quiet, verbose=verbose, as_json=as_json)


@app.command()
def report(folder: Annotated[Path, typer.Argument(help="Run folder.")]) -> None:
    """Make a report anew from the tables of a run."""
    with importing():
        from gnnmc.report import report as make_report

    typer.echo(f"report: {make_report(folder)}")


@app.command()
def compare(
    folders: Annotated[list[Path], typer.Argument(help="Run folders; the others are compared with the first.")],
    out: Annotated[Path | None, typer.Option(help="Folder for the comparison as a page, its tables as CSV.")] = None,
) -> None:
    """Set finished runs side by side: configs, barriers, associations, ends."""
    with importing():
        from gnnmc.commands.compare import show_comparison

    show_comparison(folders, out)


@app.command()
def status(folder: Annotated[Path, typer.Argument(help="Run folder.")], as_json: Json = False) -> None:
    """Say what of a run is done, running, failed or missing, and how to go on."""
    from gnnmc.commands.status import show_status

    show_status(folder, as_json)


@app.command()
def stats(
    graphs: Annotated[list[str], typer.Argument(help="Names, csbm:homophily=0.3,seed=1, or FILE.py:FACTORY.")],
    root: Root = None,
    directed: Annotated[bool, typer.Option("--directed", help="Of the graph as stored, not made undirected.")] = False,
    csv: Annotated[Path | None, typer.Option(help="Write the table to this file too.")] = None,
    cost: Annotated[
        str | None, typer.Option(help="Only statistics of this cost: linear (in edges; for large graphs) or heavy.")
    ] = None,
) -> None:
    """Print the statistics of graphs."""
    with importing():
        from gnnmc.commands.stats import show_stats

    show_stats(graphs, root, directed, csv, cost)


@app.command()
def connect(
    a: Annotated[Path, typer.Argument(help="Checkpoint of the first mode: .safetensors, or a state_dict as .pt.")],
    b: Annotated[Path, typer.Argument(help="Checkpoint of the second mode.")],
    model: Annotated[str, typer.Option(help="A model's name, or FILE.py:FACTORY.")],
    graph: Annotated[str, typer.Option(help="A graph's name, csbm:homophily=0.3,seed=1, or FILE.py:FACTORY.")],
    path: Annotated[
        list[str] | None, typer.Option(help="Kind of path; may be given several times. Default: linear.")
    ] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A model setting, such as hidden=32.")
    ] = None,
    points: Annotated[int, typer.Option(help="Points of the profile.")] = 25,
    l2: Annotated[
        float | None, typer.Option(help="L2 of fitted curves; by default the ends' weight decay (5e-4 where unknown).")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Steps of fitted curves; 400 by default.")] = None,
    lr: Annotated[float | None, typer.Option(help="Learning rate of fitted curves; 0.01 by default.")] = None,
    batchnorm: Annotated[
        str, typer.Option(help="reestimate the running statistics at every point, or use the stored ones.")
    ] = "reestimate",
    root: Root = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N, mps …")] = "auto",
    engine: Annotated[
        str, typer.Option(help="stacked evaluates many points at once where the model allows; loop, one by one.")
    ] = "stacked",
    out: Annotated[Path | None, typer.Option(help="Folder for the profiles (CSV) and their figures (SVG).")] = None,
    align: Annotated[
        str | None,
        typer.Option(
            help="weights, activations, ste, sinkhorn, semi or learned: move B onto A by symmetries of the model "
            "first. The straight line is told before and after; curves are fitted after."
        ),
    ] = None,
    classes: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CLASS",
            help="Of symmetries that --align may use, such as permutation; may be given several times. Default: the "
            "method's own.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Print the barriers between two of your checkpoints, as they are or with one moved onto the other."""
    with importing():
        from gnnmc.commands.connect import connect_checkpoints

    kinds, settings = path or ["linear"], overrides or []
    fit: dict[str, Any] = {"l2": l2, "steps": steps, "lr": lr}
    chosen: dict[str, Any] = {"method": align, "classes": classes or (), "as_json": as_json}
    connect_checkpoints(
        a, b, model, graph, kinds, settings, points, root, device, engine, out, batchnorm, **chosen, **fit
    )


@app.command()
def symmetry(
    model: Annotated[str, typer.Argument(help="A model's name, or FILE.py:FACTORY.")],
    graph: Annotated[
        str | None,
        typer.Option(help="What the model is asked about, as for connect; by default a small graph, or images."),
    ] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A model setting, such as hidden=32.")
    ] = None,
    root: Root = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N, mps …")] = "auto",
    as_json: Json = False,
) -> None:
    """Print which axes of a model's weights may be moved together without changing what it computes."""
    with importing():
        from gnnmc.commands.symmetry import show_symmetry

    show_symmetry(model, graph, overrides or [], root, device, as_json)


@app.command()
def domains(
    source: Annotated[str, typer.Argument(help="A graph's name, csbm:homophily=0.3,seed=1, or FILE.py:FACTORY.")],
    target: Annotated[
        str,
        typer.Argument(help="Another, with the same features and classes, such as csbm:seed=2,rotation_seed=1."),
    ],
    model: Annotated[
        str | None, typer.Option(help="A model's name: train it on both, for d_MC and the transfer gap measured.")
    ] = None,
    seeds: Annotated[int, typer.Option(help="How many modes of it on each; from 4 on d_MC has a floor.")] = 4,
    epochs: Annotated[int, typer.Option(help="Epochs of each.")] = 200,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A model setting, such as hidden=32.")
    ] = None,
    points: Annotated[int, typer.Option(help="Points of the lines between modes.")] = 11,
    root: Root = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N, mps …")] = "auto",
    out: Annotated[Path | None, typer.Option(help="Folder for the tables (CSV).")] = None,
    as_json: Json = False,
) -> None:
    """Print how far two graphs are apart as domains, in what, and what transfer from one to the other costs."""
    with importing():
        from gnnmc.commands.domains import show_domains

    trained: dict[str, Any] = {"seeds": seeds, "epochs": epochs, "points": points, "device": device}
    show_domains(source, target, model, overrides or [], root, out, as_json, **trained)


@app.command()
def doctor(as_json: Json = False) -> int:
    """Say what this installation has to work with: versions, devices, threads, memory, data."""
    from gnnmc.commands.doctor import show_doctor

    return show_doctor(as_json)


@app.command(name="list")
def list_names(
    what: Annotated[
        str, typer.Argument(help="graphs, models, studies, metrics, paths, barriers, statistics, diagnostics")
    ],
) -> None:
    """List names that other commands and configs take."""
    from gnnmc.commands.listing import show_names

    show_names(what)


@app.callback(invoke_without_command=True)
def _start(
    context: typer.Context, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit


def main(arguments: list[str] | None = None) -> None:
    """Entry point: 0 done, 1 failed, 2 wrong use or bad input, each error in one line on stderr."""
    try:
        code = app(arguments, standalone_mode=False)
    except InputError as error:
        _stop(str(error), 2)
    except GnnmcError as error:
        _stop(str(error), 1)
    except typer.Abort:
        _stop("stopped", 1)
    except OSError as error:
        _stop(_refusal(error), 1)
    except Exception as error:
        # Typer's own complaints about options and arguments carry exit code 2 and a message in one line.
        if not hasattr(error, "format_message"):
            raise
        _stop(error.format_message(), 2)
    else:
        sys.exit(code if isinstance(code, int) else 0)


def _refusal(error: OSError) -> str:
    """What the system refused. Standard output (a full disk) is asked by an empty line, and then left alone."""
    try:
        print(flush=True)
    except OSError:
        sys.stdout = None  # or Python tries again at its end, and says so at length
        return f"cannot print to standard output: {error.strerror}: what the command did stands"
    return str(error)


def _stop(message: str, code: int) -> None:
    print(f"gnnmc: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
