"""`tianlu`: reads the command line, runs one command, turns errors into one line and an exit code.

Exit codes: 0 ok, 1 failed, 2 usage, 3 done but some records returned, unreadable or lost, 4 peer unreachable,
5 conflict or locked, 130 interrupted.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import importlib
import importlib.util
import json
import os
import select
import signal
import sys
import traceback
from collections.abc import Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, Protocol, cast

import uvloop

from catalog.acts import Entry
from config import logs, sentences, settings
from config.errors import Misconfigured, TianluError
from config.settings import KEYS, Settings
from node import deeds, messages
from node.commands import COMMANDS
from node.context import TRACES, Context, default_home
from node.deeds import Act, Deed
from node.output import RED, Output
from protocols import standard_input

INTERRUPTED = 130
WITH_VALUE = ("--home", "--lang", "--as")


class Module(Protocol):
    """What a module of `node.commands` offers."""

    NAME: str
    HELP: dict[str, str]
    ACTS: Mapping[str, Act | None]  # by action ("" if there are none): what the audit log is told; None = it only looks

    def arguments(self, parser: argparse.ArgumentParser) -> None: ...
    def run(self, context: Context, args: argparse.Namespace) -> Coroutine[Any, Any, int]: ...


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line `argv` (without the program's name) and returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    lang = _language_of(words)
    out = Output(json="--json" in words, color=_color(), lang=lang)
    try:
        parser, module = _parser(words, lang)
        args = parser.parse_args(words)
        if not args.command:
            parser.print_help()
            return 2
        assert module is not None  # argparse accepts no other command
        return _run(module, args, out, lang)
    except TianluError as error:
        return _failed(error, out, lang)


def _run(module: Module, args: argparse.Namespace, out: Output, lang: str) -> int:
    command = COMMANDS[args.command]
    home = Path(args.home).expanduser().absolute() if args.home else default_home(os.environ).absolute()
    flags = {name: value for name, value in vars(args).items() if name in KEYS and value is not None}
    told = _told(home, flags)
    if isinstance(told, Settings):
        out.lang = lang = told.lang or lang
    context = Context(home=home, out=out, lang=lang, told=told)
    try:
        if command.home:
            _require_node(context)
        _log(told, serves=command.serves, debug=args.debug)
        code = _await(_act(module, context, args))
        out.flush()
        return code
    except KeyboardInterrupt:
        hint = f"resume_{args.command}"
        out.note(context.text("interrupted", hint=context.text(hint if hint in messages.catalogue() else "resume")))
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): nobody is left to be told, and flushing at exit must not fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if _reader_gone(error):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        if args.debug:
            traceback.print_exc()
        cause = _cause(error)
        if isinstance(cause, TianluError):
            return _failed(cause, out, lang)
        return _unexpected(error, cause, context)


async def _act(module: Module, context: Context, args: argparse.Namespace) -> int:
    """Runs the command as the user of this machine, or as the account of --as, which proves itself first."""
    if args.given_by:
        # Only then, because most commands can spare what proving takes to import.
        acting = importlib.import_module("node.acting")
        proving = dataclasses.replace(context, deed=_proof(context, args.given_by))
        context = dataclasses.replace(context, actor=await acting.prove(proving, args.given_by))
    context = dataclasses.replace(context, deed=deeds.of_command(module.ACTS, args, context.actor.name))
    if why := _objection(module, context, args):
        acting = importlib.import_module("node.acting")
        await acting.refuse(context, why)
    return await module.run(context, args)


def _objection(module: Module, context: Context, args: argparse.Namespace) -> str:
    """Why whoever gives the command may not, "" if he may: asked of every command here and nowhere else."""
    command, action = COMMANDS[args.command], getattr(args, "action", None) or ""
    if command.free:
        return ""
    if context.settings.access.duties == "separate" and not args.given_by:
        return "duties are separate here, so a command has to say who gives it: --as NAME"
    permission = getattr(module, "ALLOW", {}).get(action, command.allow)
    if command.permits(context.actor, permission):
        return ""
    return f"{context.actor.name} may not do this: it takes the permission `{permission}`" + (
        "" if command.within else " for the whole node"
    )


def _proof(context: Context, name: str) -> Deed:
    """That somebody proves, or tries to prove, to be an account."""
    return Deed(entry=Entry(actor=context.actor.name, act="session.prove", object=name))


def _parser(words: Sequence[str], lang: str) -> tuple[argparse.ArgumentParser, Module | None]:
    """The parser, in which only the chosen command has its arguments, and that command's module."""
    parser = argparse.ArgumentParser(prog="tianlu", description=messages.text(lang, "cli_about"))
    _global(parser, lang, first=True)
    listed = parser.add_subparsers(
        dest="command", metavar="COMMAND", title=messages.text(lang, "cli_commands"), prog="tianlu"
    )
    chosen, module = _chosen(words), None
    for name, command in COMMANDS.items():
        summary = command.zh if lang == "zh" else command.en
        if name != chosen:
            listed.add_parser(name, help=summary, add_help=False)
            continue
        module = _module(name)
        each = listed.add_parser(name, help=summary, description=module.HELP[lang])
        module.arguments(each)
        for one in _with_actions(each):
            _global(one, lang, first=False)
    return parser, module


def _with_actions(command: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """A command's parser and those of its actions (`loads list`): argparse keeps the latter only in its own list."""
    found = [command]
    for each in command._actions:
        if isinstance(each, argparse._SubParsersAction):
            found += each.choices.values()
    return found


def _module(name: str) -> Module:
    """The command's module. Only the chosen one is imported: all of them with their libraries take seconds."""
    path = f"node.commands.{name}"
    if importlib.util.find_spec(path) is None:
        raise Misconfigured(f"`tianlu {name}` is not part of this installation; install it again with ./dev setup")
    return cast(Module, importlib.import_module(path))


def _global(parser: argparse.ArgumentParser, lang: str, *, first: bool) -> None:
    """Flags that stand before or after the command. After it they have no default, which would undo the one before."""

    def flag(name: str, default: object, **how: Any) -> None:
        parser.add_argument(name, default=default if first else argparse.SUPPRESS, **how)

    home = default_home({k: v for k, v in os.environ.items() if k != "TIANLU_HOME"})
    flag("--home", None, metavar="DIR", help=messages.text(lang, "cli_home", home=home))
    flag("--json", False, action="store_true", help=messages.text(lang, "cli_json"))
    flag("--lang", None, choices=messages.LANGUAGES, help=messages.text(lang, "cli_lang"))
    flag("--as", None, dest="given_by", metavar="NAME", help=messages.text(lang, "cli_as"))
    flag("--debug", False, action="store_true", help=messages.text(lang, "cli_debug"))


def _chosen(words: Sequence[str]) -> str | None:
    """The first word that is neither a global flag nor its value."""
    rest = iter(words)
    for word in rest:
        if word in WITH_VALUE:
            next(rest, None)
        elif not word.startswith("-"):
            return word
    return None


def _language_of(words: Sequence[str]) -> str:
    """The language for help and early errors, before anything is parsed."""
    for word, after in zip(words, [*words[1:], ""], strict=False):
        lang = after if word == "--lang" else word.removeprefix("--lang=")
        if lang in messages.LANGUAGES:
            return lang
    return messages.of_terminal(os.environ)


def _color() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _told(home: Path, flags: dict[str, object]) -> Settings | Misconfigured:
    try:
        return settings.load(home, os.environ, flags)
    except Misconfigured as error:
        return error


def _require_node(context: Context) -> None:
    if not (context.home / settings.FILE).is_file():
        raise Misconfigured(
            f"there is no node in {context.home}: make one with `tianlu init --tier local --symbol SYMBOL`, "
            "or say where it is with --home or TIANLU_HOME"
        )
    _ = context.settings  # raises what is wrong with them before the command starts


def _log(told: Settings | Misconfigured, *, serves: bool, debug: bool) -> None:
    log = told.log if isinstance(told, Settings) else settings.Log()
    level = "debug" if debug else log.level if serves or log.level in ("warning", "error") else "warning"
    logs.set_up(level, log.format)


def _await(work: Coroutine[Any, Any, int]) -> int:
    """Runs the command. SIGTERM interrupts it as Ctrl-C does, so that what it opened is closed in order; also in the
    background of a script, where Ctrl-C is ignored (POSIX, Shell Command Language 2.11) and goes on being so.
    """
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    if ignored:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # else the runner makes no way to interrupt the work
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_interruptible(work, ignored=ignored))


async def _interruptible(work: Coroutine[Any, Any, int], *, ignored: bool) -> int:
    cancel = signal.getsignal(signal.SIGINT)  # the runner's
    interrupted = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = True
        standard_input.give_up()
        assert callable(cancel)
        cancel(number, frame)

    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGINT, signal.SIG_IGN if ignored else interrupt)
    try:
        return await work
    except TianluError as error:
        if interrupted:  # what was given up looks as if it ended there
            raise KeyboardInterrupt from error
        raise
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN if ignored else cancel)


def _failed(error: TianluError, out: Output, lang: str) -> int:
    if out.json:
        out.note(json.dumps({"error": error.code, "message": str(error)}, ensure_ascii=False))
    else:
        out.note(out.paint(RED, "tianlu: ") + messages.text(lang, "error", message=sentences.told(str(error), lang)))
    return error.exit_code


def _reader_gone(error: BaseException | None) -> bool:
    """Whether it began with a closed output, whatever those on the way up took it for."""
    while error is not None:
        if isinstance(error, BrokenPipeError):
            poll = select.poll()
            poll.register(sys.stdout.fileno(), 0)
            return any(event & select.POLLERR for _, event in poll.poll(0))
        error = error.__cause__ or error.__context__
    return False


def _cause(error: Exception) -> Exception:
    """What went wrong: a TaskGroup wraps what its tasks raised; one of our own errors explains best."""
    if not isinstance(error, ExceptionGroup):
        return error
    causes = [_cause(each) for each in error.exceptions]
    return next((each for each in causes if isinstance(each, TianluError)), causes[0])


def _unexpected(error: Exception, cause: Exception, context: Context) -> int:
    """A fault of ours: one line for people; the whole trace is kept in the home folder."""
    trace = context.text("trace_hidden")
    if (context.home / settings.FILE).exists() and os.access(context.home, os.W_OK):
        path = context.home / TRACES
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as file:
            file.write(
                f"{datetime.now(UTC).isoformat(timespec='seconds')}\n{''.join(traceback.format_exception(error))}\n"
            )
        trace = context.text("trace_kept", path=path)
    message = f"{type(cause).__name__}: {cause}"
    if context.out.json:
        context.out.note(json.dumps({"error": "unexpected", "message": message, "trace": trace}, ensure_ascii=False))
    else:
        context.out.note(context.text("unexpected", message=message, trace=trace))
    return 1


if __name__ == "__main__":
    sys.exit(main())
