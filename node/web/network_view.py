"""What the network page shows: the nodes and streams of this node as values, for the page and for programs (pure).

Everybody may read them, so they say that an exchange fails, and not why: that may be in another node's words, or tell
what only operators should know. `tianlu peer list` and `tianlu status` tell them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from catalog.model import Library
from catalog.payload import HANDOVER
from node.flows import Flow, Known, Work
from node.web import texts
from node.web.labels import library_name
from services.delivery import links

UNITS = (("days", 86400), ("hours", 3600), ("minutes", 60), ("seconds", 1))


def document(nodes: Sequence[Known], flows: Sequence[Flow], work: Work, titles: int) -> dict[str, Any]:
    """The answer for programs."""
    return {
        "symbol": nodes[0].symbol,
        "name": nodes[0].name,
        "titles": titles,
        "work": asdict(work),
        "nodes": [
            {
                "symbol": each.symbol,
                "name": each.name,
                "relation": each.relation,
                "path": each.path,
                "state": each.state,
                "address": each.address,
                "libraries": [library.symbol for library in each.libraries],
                "seen": each.seen and each.seen.isoformat(timespec="seconds"),
                "trouble": _trouble(each, "en"),
            }
            for each in nodes
        ],
        "streams": [
            {
                "from": each.origin,
                "to": each.to,
                "channel": each.channel,
                "records": each.records,
                "behind": each.behind,
                "state": each.state,
                "reason": _reason(each, "en"),
            }
            for each in flows
        ],
    }


def values(
    nodes: Sequence[Known], flows: Sequence[Flow], work: Work, titles: int, now: datetime, lang: str
) -> dict[str, Any]:
    """What the template needs."""
    t = texts.in_language(lang)
    names = {library.symbol: library for each in nodes for library in each.libraries}
    called = {each.symbol: _called(each, names, lang) for each in nodes}
    return {
        "own": called[nodes[0].symbol],
        "titles": f"{titles:,}",
        "busy": _busy(work, lang),
        "nodes": [_node(each, called[each.symbol], names, now, lang) for each in nodes],
        "streams": [
            {
                "origin": called.get(each.origin, each.origin),
                "to": called.get(each.to, each.to),
                "channel": t(f"channel_{each.channel}"),
                "records": f"{each.records:,}",
                "behind": "" if each.behind is None else f"{each.behind:,}",
                "state": each.state,
                "label": t(f"stream_{each.state}"),
                "reason": _reason(each, lang),
            }
            for each in flows
            if each.channel != HANDOVER or each.records or each.state not in ("even", "listening")
        ],
    }


def _called(node: Known, names: Mapping[str, Library], lang: str) -> str:
    known = names.get(node.symbol)
    return library_name(node.symbol, names, lang) if known and known.name != node.symbol else node.name or node.symbol


def _node(node: Known, name: str, names: Mapping[str, Library], now: datetime, lang: str) -> dict[str, Any]:
    t = texts.in_language(lang)
    return {
        "symbol": node.symbol,
        "name": name,
        "url": links.safe(node.address) if node.address else "",
        "relation": t(f"relation_{node.relation}") if node.path != "membership" else t("relation_membership"),
        "libraries": [library_name(each.symbol, names, lang) for each in node.libraries if each.symbol != node.symbol],
        "state": node.state,
        "label": t(f"peer_{node.state}") if node.state else "",
        "seen": ago((now - node.seen).total_seconds(), lang) if node.seen else "",
        "trouble": _trouble(node, lang),
    }


def _trouble(node: Known, lang: str) -> str:
    t = texts.in_language(lang)
    if node.trouble:
        return t("network_trouble")
    return f"{t('audit_alarm', symbol=node.symbol)} {node.alarm}" if node.alarm else ""


def _reason(flow: Flow, lang: str) -> str:
    return texts.in_language(lang)("network_held_up") if flow.state == "held_up" else ""


def _busy(work: Work, lang: str) -> str:
    t = texts.in_language(lang)
    parts = [t(f"network_{name}", count=f"{count:,}") for name, count in _todo(work) if count]
    return t("scope_and").join(parts) or t("network_idle")


def _todo(work: Work) -> tuple[tuple[str, int], ...]:
    return (("preparing", work.preparing), ("to_merge", work.to_merge))


def ago(seconds: float, lang: str) -> str:
    """How long ago, in the largest unit that fits."""
    unit, size = next((each for each in UNITS if seconds >= each[1]), UNITS[-1])
    return texts.TEXTS[f"ago_{unit}"][lang].format(count=max(0, int(seconds // size)))
