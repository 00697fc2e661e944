"""`passerelle test`: the tests of routes.yaml, run on its routes; nothing is sent."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.cli.asking import check_routes, files_of_tests
from engine.cli.options import common_options, options
from engine.cli.printing import print_json
from engine.errors import ConfigurationRefused, OperationRefused
from engine.operations.wording import several

if TYPE_CHECKING:
    from engine.routes.cases import Case
    from engine.routes.configuration import Configuration
    from engine.trials.junit import Line
    from engine.trials.running import Ask


@click.command()
@click.argument("files", metavar="[FILE_test.yaml]…", nargs=-1, type=click.Path(path_type=Path))
@click.option("-k", "words", metavar="TEXT", default="", help="Only tests whose route or name holds this text.")
@click.option("--junit", "report", metavar="FILE", type=click.Path(path_type=Path), help="Write the results as JUnit.")
@common_options
def test(*, files: tuple[Path, ...], words: str, report: Path | None) -> None:
    """
    Run the tests of the configuration: those under its routes, and those of *_test.yaml.

    With files, only theirs. Exit code 1 when a test fails, 78 when the configuration or a test can't be read.
    """
    configuration = _configuration(files)
    cases = _chosen(configuration, files, words)
    from engine.sandbox.at_once import workers

    with workers() as ask:
        lines = [_run(configuration, case, ask) for case in cases]
    if report is not None:
        from engine.trials.junit import junit

        report.write_bytes(junit(lines))
    wrong = sum(bool(line.failure) for line in lines)
    if not options().json:
        seconds = sum(line.seconds for line in lines)
        told = f"{several(len(lines) - wrong, 'test')} passed" + (f", {wrong} failed" if wrong else "")
        click.echo(f"{told}, {seconds:.2f} s", err=bool(wrong))
    click.get_current_context().exit(1 if wrong else 0)


def _configuration(files: tuple[Path, ...]) -> Configuration:
    chosen = options()
    if not chosen.routes.is_file():
        sentence = f"there is no configuration at '{chosen.routes}' (--routes PATH or PASSERELLE_ROUTES)"
        raise ConfigurationRefused(sentence)
    for file in files:
        if not file.is_file():
            raise OperationRefused(f"there is no file '{file}'", exit_code=2)
    configuration, findings = check_routes(chosen, tests=list(files) or files_of_tests(chosen))
    if configuration is None:
        for finding in findings:
            if finding.level == "error":
                click.echo(finding.render(), err=True)
        raise ConfigurationRefused(f"{chosen.routes} is refused: no test was run")
    return configuration


def _chosen(configuration: Configuration, files: tuple[Path, ...], words: str) -> list[Case]:
    from engine.trials.report import title

    names = {str(file) for file in files} | {_relative(file) for file in files}
    cases = [case for case in configuration.cases if not files or case.mark.file in names]
    if not cases:
        raise OperationRefused("there are no tests: write some under tests: of a route, or in *_test.yaml")
    wanted = [case for case in cases if words.lower() in title(case).lower()]
    if not wanted:
        raise OperationRefused(f"no test is named like '{words}'; there are {len(cases)}")
    return wanted


def _relative(file: Path) -> str:
    root = options().routes.parent
    return str(file.relative_to(root)) if file.is_relative_to(root) else str(file)


def _run(configuration: Configuration, case: Case, ask: Ask) -> Line:
    from engine.trials.judging import judge
    from engine.trials.junit import Line
    from engine.trials.report import failed, title
    from engine.trials.running import run_case

    began = time.perf_counter()
    session = run_case(configuration, case, ask)
    failures = judge(case, session)
    told = "\n".join(failed(case, failures, session)) if failures else ""
    seconds = time.perf_counter() - began
    if options().json:
        print_json({"test": title(case), "file": case.mark.file, "line": case.mark.line, "passed": not failures,
                    "failures": [one.sentence for one in failures], "seconds": round(seconds, 4)})  # fmt: skip
    elif failures:
        click.echo(told)
    return Line(
        case.mark.file, case.route or case.mark.file, case.name, seconds,
        failures[0].sentence if failures else "", told,
    )  # fmt: skip
