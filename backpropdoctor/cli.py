"""The command line: it reads options, delegates to `api.check`, and writes what the report draws.

Exit status: 0 nothing wrong and all measured; 1 a fault of severity error; 2 the call was wrong (no such file, a syntax
error in the target, a bad option); 3 something needed could not be measured, or the user's code raised.

What the checked script prints goes to standard output in front of a text report, as if it ran alone. With every other
format, and with `--diff`, standard output is the report's alone and the script's output goes to standard error.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import __version__
from .errors import BackpropDoctorError, InputError

if TYPE_CHECKING:
    from .report.report import Report

FORMATS = ("text", "json", "html", "sarif", "github")
WRONG_CALL = 2
NOT_MEASURED = 3
INTERRUPTED = 130  # 128 + SIGINT, as shells count


class _Commands(click.Group):
    """The commands; a file in place of a command gets the word that is missing."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and self.get_command(ctx, args[0]) is None and args[0].endswith((".py", ".ipynb")):
            raise click.UsageError(f"no such command: `{args[0]}`; did you mean `check {args[0]}`?", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="backpropdoctor")
def commands() -> None:
    """Name the wrong line in hand-written backpropagation, say why, and prove the edit that makes it right."""


def _names(ctx: click.Context, option: click.Parameter, value: str | None) -> list[str] | None:
    return None if value is None else [name.strip() for name in value.split(",") if name.strip()]


@commands.command()
@click.argument("path", type=click.Path())
@click.argument("script_args", nargs=-1, type=click.UNPROCESSED, metavar="[-- SCRIPT ARGS]")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="Form of the report.")
@click.option("--output", type=click.Path(dir_okay=False), help="Write the report to this file.")
@click.option("--loss", metavar="NAME", help="The variable or function that is the loss.")
@click.option("--params", metavar="NAMES", callback=_names, help="The parameters, with commas between.")
@click.option("--step-function", metavar="NAME", help="The function that makes one training step.")
@click.option(
    "--time-limit",
    type=click.FloatRange(0, min_open=True),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long the script may run.",
)
@click.option("--steps", type=click.IntRange(1), metavar="N", help="How many training steps to watch.")
@click.option("--watch", is_flag=True, help="Run on under the watch for NaN even when a gradient is wrong.")
@click.option(
    "--reproduce",
    type=click.Path(file_okay=False),
    metavar="FOLDER",
    help="Write a script that repeats the step of a NaN there, and the last good parameters.",
)
@click.option("--diff", is_flag=True, help="Print the edits as a unified diff instead of the report.")
@click.option("--fix", is_flag=True, help="Write the edited source beside PATH, as NAME.fixed.py.")
@click.option("--quiet", "-q", is_flag=True, help="One line for each error, and the last line.")
@click.option("--verbose", "-v", is_flag=True, help="Every tensor, and how each number was measured.")
@click.option("--no-colour", "--no-color", is_flag=True, help="No colour, even on a terminal.")
@click.pass_context
def check(ctx: click.Context, path: str, script_args: tuple[str, ...], **options: Any) -> int:
    """Check a training script as it is, a module of functions or layers, or declared cases.

    Give the script its own arguments after `--`:  check train.py -- --epochs 3
    """
    from .report.streams import output_to_stderr, progress_line, undisturbed

    if options["diff"] and options["form"] != "text":
        raise click.UsageError("--diff takes no --format: a diff has a form of its own", ctx)
    if options["quiet"] and options["verbose"]:
        raise click.UsageError("--quiet and --verbose exclude each other", ctx)
    _readable(path)
    if options["output"] and not Path(options["output"]).absolute().parent.is_dir():
        raise click.UsageError(f"no such folder: `{Path(options['output']).parent}`", ctx)
    aside = not options["output"] and (options["form"] != "text" or options["diff"])
    with output_to_stderr(aside), progress_line(sys.stderr) as progress, undisturbed():
        report = _checked(path, script_args, options, progress)
    _write(report, options)
    if options["fix"]:
        _write_fixed(report)
    return report.exit_status


def _checked(path: str, script_args: tuple[str, ...], options: dict[str, Any], progress: Any) -> Report:
    from . import api
    from .checks.pictures import drawn

    html = options["form"] == "html"
    with drawn() if html else contextlib.nullcontext():
        report: Report = api.check(
            path,
            loss=options["loss"],
            params=options["params"],
            step_function=options["step_function"],
            script_args=script_args,
            time_limit=options["time_limit"],
            steps=options["steps"],
            watch=options["watch"],
            reproduce=options["reproduce"],
            progress=progress,
            pictures=html,
        )
    return report


def _readable(path: str) -> None:
    """The target must be there and be a program; what it says about itself is said before anything runs."""
    if os.path.isdir(path):
        path = os.path.join(path, "__main__.py")
    if not os.path.exists(path):
        raise click.UsageError(f"no such file: `{path}`")
    if not path.endswith(".py"):
        return
    try:
        compile(Path(path).read_bytes(), path, "exec", dont_inherit=True)
    except SyntaxError as error:
        raise click.ClickException(_syntax_error(error, path)) from error
    except (OSError, ValueError) as error:
        raise click.UsageError(f"cannot read `{path}`: {error}") from error


def _syntax_error(error: SyntaxError, path: str) -> str:
    """The error as one block in the form of a finding, with the source line and a mark under the place."""
    from .report.excerpt import excerpt
    from .source import Span

    message = f"`{path}` is not valid Python: {error.msg}"
    if not error.lineno:
        return message
    line, column = error.lineno, max(error.offset or 1, 1)
    stop = error.end_offset if error.end_lineno == line and (error.end_offset or 0) > column else column + 1
    gutter = len(str(line))
    rows = excerpt(Span(path, line, column, line, stop or column + 1), ascii=_ascii(sys.stderr))
    shown = [f"{'' if row.line is None else row.line:>{gutter}} | {row.text}" for row in rows]
    return "\n".join([message, f"  --> {path}:{line}:{column}", *shown])


def _write(report: Report, options: dict[str, Any]) -> None:
    """The report, in the form asked for, to the file or to standard output."""
    form, output = options["form"], options["output"]
    if options["diff"]:
        from .report import patches

        text, left = patches.diff(report)
        for line in left:
            click.echo(line, err=True)
    elif form == "text":
        text = report.text(quiet=options["quiet"], **_appearance(options, to_file=bool(output)))
    else:
        text = getattr(report, form)()
    if text and not text.endswith("\n"):
        text += "\n"
    if output:
        Path(output).write_text(text, encoding="utf-8", newline="")
    elif form != "text":  # a file format is UTF-8 whatever the terminal speaks
        click.echo(text.encode(), nl=False)
    else:
        click.echo(text, nl=False, color=True)  # colours are decided in `_appearance` alone
    if output or options["diff"]:
        from .report import wording

        click.echo(wording.summary(report), err=True)


def _appearance(options: dict[str, Any], to_file: bool) -> dict[str, Any]:
    """Colour, width and characters, as standard output takes them; a file gets plain UTF-8 at full width."""
    terminal = not to_file and sys.stdout.isatty()
    plain = options["no_colour"] or bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return {
        "colour": terminal and not plain,
        "width": None if to_file else _width(sys.stdout),
        "ascii": not to_file and _ascii(sys.stdout),
        "verbose": options["verbose"],
    }


def _width(stream: Any) -> int | None:
    """The columns of a terminal, or those that COLUMNS asks for; None where neither limits the lines."""
    import shutil

    asked = os.environ.get("COLUMNS", "").isdigit()
    return shutil.get_terminal_size().columns if asked or stream.isatty() else None


def _ascii(stream: Any) -> bool:
    """Whether a stream takes less than all of Unicode."""
    return not (getattr(stream, "encoding", None) or "ascii").lower().replace("_", "-").startswith("utf")


def _write_fixed(report: Report) -> None:
    """`train.py` with its edits becomes `train.fixed.py`; no file that is there already is written over."""
    from .report import patches
    from .report.wording import shown_path

    rows = patches.patches(report)
    for patch in rows:
        for line in patch.left:
            click.echo(line, err=True)
        if patch.kept:
            content = patch.content()
            target = _free(Path(patch.path), content)
            target.write_bytes(content)
            click.echo(f"wrote {shown_path(str(target), report.target)}", err=True)
    if not any(patch.kept for patch in rows):
        click.echo("no edit to make: no fixed file written", err=True)


def _free(path: Path, content: bytes) -> Path:
    """The first of NAME.fixed.py, NAME.fixed.2.py, … that is not there, or holds this content already."""
    target, n = path.with_suffix(".fixed.py"), 2
    while target.exists() and target.read_bytes() != content:
        target, n = path.with_suffix(f".fixed.{n}.py"), n + 1
    return target


def _codes(ctx: click.Context, argument: click.Parameter, typed: str) -> list[Any]:
    """The codes and names of rules that begin so, for the shell."""
    from click.shell_completion import CompletionItem

    from . import rules

    rows = [(code, module[6:].replace("_", "-")) for code, module in rules.names().items()]
    found = [CompletionItem(code, help=name) for code, name in rows if code.startswith(typed.upper())]
    return found + [CompletionItem(name, help=code) for code, name in rows if typed and name.startswith(typed.lower())]


@commands.command()
@click.argument("code", required=False, shell_complete=_codes)
def explain(code: str | None) -> int:
    """Print the page of a rule, such as BD102; without CODE, list the rules."""
    from .report import pages

    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    try:
        text = pages.page(code, colour=colour, width=_width(sys.stdout)) if code else pages.index(colour=colour)
    except KeyError:
        raise click.UsageError(pages.unknown(code or "")) from None
    if _ascii(sys.stdout):
        from .report.excerpt import plain

        text = "\n".join(plain(line, ascii=True) for line in text.splitlines())
    click.echo(text, color=colour)
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; what `backpropdoctor` and `python -m backpropdoctor` call."""
    name = "backpropdoctor"
    try:
        status = commands.main(None if arguments is None else list(arguments), prog_name=name, standalone_mode=False)
        return status if isinstance(status, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
    except click.ClickException as error:
        _complain(error.format_message(), usage=isinstance(error, click.UsageError))
    except click.Abort:
        _complain("interrupted")
        return INTERRUPTED
    except InputError as error:
        _complain(str(error), code=error.code, advice=error.help)
    except BackpropDoctorError as error:
        _complain(str(error))
    except BrokenPipeError:
        # the reader went away (`| head`); Python would complain again when it flushes at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception:
        import traceback

        traceback.print_exc()
        _complain("this is a fault of backpropdoctor, not of your code: please report it with the lines above")
        return NOT_MEASURED
    return WRONG_CALL


def _complain(message: str, *, code: str | None = None, advice: str | None = None, usage: bool = False) -> None:
    if usage:  # click's own sentences begin with a capital and end with a stop
        message = message[:1].lower() + message[1:].rstrip(".")
    click.echo(f"error[{code}]: {message}" if code else f"error: {message}", err=True)
    if advice:
        click.echo(f"help: {advice}", err=True)
    elif usage:
        click.echo("help: `backpropdoctor --help` lists the commands and options", err=True)


if __name__ == "__main__":
    sys.exit(main())
