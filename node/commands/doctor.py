"""`tianlu doctor`: checks this machine and node."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from node import health
from node.context import Context
from node.health import State
from node.output import GREEN, RED, YELLOW

NAME = "doctor"
HELP = {
    "en": "Check this machine and node: each line says ok, warn or fail, and what to do. Exit code 1 if one fails.",
    "zh": "检查本机和节点：每行给出 ok、warn 或 fail 及处理办法。有 fail 时退出码为 1。",
}
ACTS = {"": None}
COLORS = {State.OK: GREEN, State.WARN: YELLOW, State.FAIL: RED}


def arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


async def run(context: Context, args: argparse.Namespace) -> int:
    """Exit code 1 if a check fails."""
    failed = False
    async for check in health.examine(context):
        failed = failed or check.state is State.FAIL
        if context.out.json:
            context.out.item(asdict(check))
            continue
        context.out.say(f"{context.out.paint(COLORS[check.state], f'{check.state:4}')}  {check.name}: {check.detail}")
        if check.todo:
            context.out.say(f"      → {check.todo}")
    return 1 if failed else 0
