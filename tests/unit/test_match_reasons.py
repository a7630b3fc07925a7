"""Every rule that may stand in a decision says what it means in two languages."""

from __future__ import annotations

import pytest

from dms.match import decide, reasons, vetoes

RULES = {
    *decide.POINTS,
    *(name for name, _, _ in vetoes.TRAITS),
    *(name for name, _, _ in vetoes.VETOES),
    *(name for name, _ in vetoes.LIMITS),
    "veto-publisher",
    "related-companion",
    "related-series",
}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_each_rule_has_a_text_and_each_text_a_rule(language: str) -> None:
    assert set(reasons.TEXTS[language]) == RULES
    assert all(reasons.text(rule, language) for rule in RULES)
