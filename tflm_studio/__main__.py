# SPDX-License-Identifier: Apache-2.0
"""The command `tflm-studio`: opens the window, or carries out a verb."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from difflib import get_close_matches
from importlib import import_module
from typing import Any, NoReturn

from tflm_studio.model.errors import StudioError
from tflm_studio.model.resource_files import SAMPLE, resource_path

# Each with the module of `tflm_studio.cli` that declares it: who wants one verb does not wait
# for the others.
VERBS = {
    "info": "verbs",
    "convert": "verbs",
    "files": "verbs",
    "diff": "diff_verb",
    "buffer": "value_verbs",
    "weights": "value_verbs",
    "change": "change_verb",
    "resolver": "firmware_verbs",
    "arena": "firmware_verbs",
    "export": "export_verb",
    "bundle": "bundle_verb",
    "fit": "fit_verb",
    "scan": "scan_verb",
    "screenshot": "",
}
USAGE_ERROR = 2
WITHOUT_A_SCREEN = """Without a screen; each has --help:
  tflm-studio info FILE [--json]
  tflm-studio convert IN OUT
  tflm-studio files FILE [--extract DIR]
  tflm-studio diff A B [--json]
  tflm-studio buffer FILE ADDRESS
  tflm-studio weights FILE -o OUT.npz
  tflm-studio change FILE ADDRESS OPERATION -o OUT
  tflm-studio resolver FILE...
  tflm-studio arena FILE [--measure]
  tflm-studio export FILE -o OUT --style NAME
  tflm-studio bundle FILE -o DIR
  tflm-studio fit FILE --board NAME
  tflm-studio scan IMAGE [--extract DIR]
  tflm-studio screenshot FILE OUT.png"""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE_ERROR, f"{self.prog}: {message} (see {self.prog} --help)\n")


class _Version(argparse.Action):
    """Prints the version; asks for it only then, which takes 40 ms."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"TFLM Studio {version('tflm-studio')}")
        parser.exit()


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code: 0 done, 1 no or nothing, 2 refused."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        # Names in models need not be text; printing them must not fail.
        with suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        return _run(given)
    except StudioError as error:
        print(f"tflm-studio: {' '.join(str(error).split())}", file=sys.stderr)
        return USAGE_ERROR
    except BrokenPipeError:
        # Whoever read our output has seen enough, as `head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(given: list[str]) -> int:
    if given and given[0] in VERBS:
        parsed = _verb_parser(VERBS[given[0]]).parse_args(given)
        code: int | None = parsed.run(parsed)
        return code or 0
    _refuse_unknown_verb(given)
    files: list[str] = _window_parser().parse_args(given).files
    from tflm_studio.ui.app.display import why_no_display

    reason = why_no_display()
    if reason is not None:
        _print_instead(files, reason)
        return 0
    from tflm_studio.ui.app.application import open_windows

    return open_windows(files)


def _print_instead(files: list[str], reason: str) -> None:
    from tflm_studio.cli.verbs import info_lines

    shown = files or [str(resource_path(SAMPLE))]
    # All are read first: if one cannot be, only that is said.
    lines = [line for file in shown for line in info_lines(file)]
    print(
        f"tflm-studio: no window, because {reason}; 'tflm-studio screenshot "
        f"{shown[0]} out.png' draws one. The model as text:",
        file=sys.stderr,
    )
    print("\n".join(lines))


def _window_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="tflm-studio",
        description="Look at, change and save TensorFlow Lite Micro models.",
        epilog=WITHOUT_A_SCREEN,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    parser.add_argument("files", nargs="*", metavar="FILE", help="models to open in a window")
    return parser


def _verb_parser(module: str) -> argparse.ArgumentParser:
    parser = _Parser(prog="tflm-studio")
    verbs = parser.add_subparsers(required=True, metavar="VERB", parser_class=_Parser)
    if module:
        declaring = import_module(f"tflm_studio.cli.{module}")
        getattr(declaring, f"add_{module}")(verbs)
    else:
        _add_screenshot(verbs)
    return parser


def _add_screenshot(verbs: Any) -> None:
    from tflm_studio.cli.verbs import add_array_option

    shot = verbs.add_parser("screenshot", help="draw the window into a picture")
    shot.add_argument("file", metavar="FILE", help="a flatbuffer or a C source with a model")
    shot.add_argument("output", metavar="OUT.png", help="the picture to write")
    shot.add_argument("--theme", choices=("light", "dark"), default="light")
    shot.add_argument("--size", metavar="WxH", default="1440x900", help="in pixels")
    shot.add_argument("--select", metavar="ADDRESS", help="such as subgraphs[0].operators[2]")
    add_array_option(shot)
    shot.set_defaults(run=_screenshot)


def _refuse_unknown_verb(given: list[str]) -> None:
    """A word that no file is called is a verb with a slip, not a file to open."""
    word = given[0] if given else ""
    if not word.isidentifier() or os.path.exists(word):
        return
    close = get_close_matches(word, VERBS, 1)
    meant = f"did you mean {close[0]}?" if close else f"the verbs are {', '.join(VERBS)}."
    raise StudioError(f"there is neither a file nor a verb '{word}'; {meant}")


def _screenshot(arguments: argparse.Namespace) -> None:
    from tflm_studio.ui.app.screenshot import take_screenshot

    take_screenshot(arguments)


if __name__ == "__main__":
    sys.exit(main())
