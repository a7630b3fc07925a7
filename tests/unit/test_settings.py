"""Settings: which origin wins, and how a mistake is named."""

from __future__ import annotations

import pickle
import traceback
from pathlib import Path

import pytest

from config import profile, settings
from config.errors import Misconfigured
from config.secret import Secret


def write(home: Path, text: str) -> Path:
    path = home / settings.FILE
    path.write_text(text, encoding="utf-8")
    return path


def complaint(home: Path, **environ: str) -> str:
    with pytest.raises(Misconfigured) as caught:
        settings.load(home, environ)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_without_file_or_environment_every_value_is_the_default(tmp_path: Path) -> None:
    told = settings.load(tmp_path, {})
    assert told.web.port == 8080
    assert told.web.host == "127.0.0.1"
    assert told.limits.delete_records == 1000
    assert set(told.origins.values()) == {"default"}
    assert set(told.origins) == set(settings.KEYS)


def test_file_beats_default_environment_beats_file_and_flag_beats_all(tmp_path: Path) -> None:
    path = write(tmp_path, "[web]\nport = 1001\nhost = '::1'\n\n[log]\nlevel = 'error'\n")
    environ = {"TIANLU_WEB__PORT": "1002", "TIANLU_WEB__HOST": "0.0.0.0"}
    told = settings.load(tmp_path, environ, {"web.port": 1003})
    assert (told.web.port, told.web.host, told.log.level, told.log.format) == (1003, "0.0.0.0", "error", "text")
    assert told.origins["web.port"] == "--port"
    assert told.origins["web.host"] == "$TIANLU_WEB__HOST"
    assert told.origins["log.level"] == f"{path}:6"
    assert told.origins["log.format"] == "default"


def test_unknown_key_is_named_with_file_line_and_the_nearest_key(tmp_path: Path) -> None:
    path = write(tmp_path, "# a comment\n[web]\nhost = 'x'\nprot = 8081\n")
    message = complaint(tmp_path)
    assert f"{path}:4" in message
    assert "'web.prot'" in message
    assert "did you mean 'web.port'?" in message


def test_key_in_the_wrong_table_suggests_the_right_one(tmp_path: Path) -> None:
    write(tmp_path, "symbol = 'TJU'\n")
    assert "'node.symbol'" in complaint(tmp_path)


def test_unknown_table_is_named_with_its_line_even_when_empty(tmp_path: Path) -> None:
    path = write(tmp_path, "\n[wbe]\n")
    message = complaint(tmp_path)
    assert f"{path}:2" in message
    assert "'wbe'" in message


def test_key_in_an_inline_table_gets_the_line_of_that_table(tmp_path: Path) -> None:
    path = write(tmp_path, "lang = 'zh'\nweb = { prot = 1 }\n")
    assert f"{path}:2" in complaint(tmp_path)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("port = '8081'", "a whole number"),
        ("port = true", "a whole number"),
        ("port = 8081.5", "a whole number"),
        ("port = 0", "from 1 to 65535"),
        ("port = 65536", "from 1 to 65535"),
        ("host = 1", "a text in quotes"),
    ],
)
def test_wrong_type_or_range_is_named_with_file_and_line(tmp_path: Path, line: str, reason: str) -> None:
    path = write(tmp_path, f"[web]\n{line}\n")
    message = complaint(tmp_path)
    assert f"{path}:2" in message
    assert reason in message


def test_choice_outside_the_list_names_the_list(tmp_path: Path) -> None:
    write(tmp_path, "[node]\ntier = 'galactic'\n")
    assert "central, domain, local" in complaint(tmp_path)


@pytest.mark.parametrize("symbol", ["-TJU", "天大", "A" * 17, "A.B", "A/B", "A B"])
def test_symbol_that_would_break_a_cluster_id_is_refused(tmp_path: Path, symbol: str) -> None:
    write(tmp_path, f"[node]\nsymbol = '{symbol}'\n")
    assert "node.symbol" in complaint(tmp_path)


def test_broken_toml_is_named_with_line(tmp_path: Path) -> None:
    write(tmp_path, "[web]\nport = \n")
    assert "line 2" in complaint(tmp_path)


def test_unknown_or_wrong_variable_is_named(tmp_path: Path) -> None:
    assert "$TIANLU_WEB__PROT" in complaint(tmp_path, TIANLU_WEB__PROT="1")
    assert "a whole number" in complaint(tmp_path, TIANLU_WEB__PORT="eight")


def test_home_and_test_variables_are_not_settings(tmp_path: Path) -> None:
    settings.load(tmp_path, {"TIANLU_HOME": "/x", "TIANLU_TEST_DATA": "/y", "HOME": "/z"})


def test_whole_number_serves_where_a_share_is_wanted(tmp_path: Path) -> None:
    write(tmp_path, "[limits]\nrejects = 1\n")
    assert settings.load(tmp_path, {}).limits.rejects == 1.0


@pytest.mark.parametrize("by_environment", [True, False])
def test_secret_comes_from_a_file_beside_the_settings(tmp_path: Path, by_environment: bool) -> None:
    (tmp_path / "dsn").write_text("postgresql://u:canary@h/d\n", encoding="utf-8")
    environ = {"TIANLU_DATABASE__DSN_FILE": "dsn"} if by_environment else {}
    if not by_environment:
        write(tmp_path, "[database]\ndsn_file = 'dsn'\n")
    assert settings.load(tmp_path, environ).database.dsn.reveal() == "postgresql://u:canary@h/d"


def test_missing_secret_file_stops_the_start(tmp_path: Path) -> None:
    write(tmp_path, "[database]\ndsn_file = 'nowhere'\n")
    assert "nowhere" in complaint(tmp_path)


def test_a_setting_that_is_no_secret_has_no_file_form(tmp_path: Path) -> None:
    assert "web.host_file" in complaint(tmp_path, TIANLU_WEB__HOST_FILE="x")


def test_secret_shows_itself_nowhere() -> None:
    secret = Secret("canary")
    told = settings.Settings(database=settings.Database(dsn=secret))
    shown = [repr(told), str(secret), f"{secret}", f"{secret!r}"]
    try:
        raise ValueError(secret)
    except ValueError:
        shown.append(traceback.format_exc())
    assert not any("canary" in each for each in shown)
    with pytest.raises(TypeError):
        pickle.dumps(secret)


@pytest.mark.parametrize(
    ("tier", "contribute", "aggregate"), [("central", False, True), ("domain", True, True), ("local", True, False)]
)
def test_tier_expands_to_capabilities(tier: str, contribute: bool, aggregate: bool) -> None:
    assert profile.load(tier) == profile.Profile(tier=tier, contribute=contribute, aggregate=aggregate, catalogue=True)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("allow = '10.0.0.1/8'", "http.allow: 10.0.0.1/8 is no network"),
        ("allow = 'opac, 300.1.1.1'", "http.allow: 300.1.1.1 is no address"),
        ("allow = ['10.0.0.0/8']", "a text in quotes"),
    ],
)
def test_wrong_item_of_what_requests_may_reach_is_named(tmp_path: Path, line: str, reason: str) -> None:
    path = write(tmp_path, f"[http]\n{line}\n")
    assert f"{path}:2" in complaint(tmp_path) and reason in complaint(tmp_path)


def test_proxy_must_be_an_address(tmp_path: Path) -> None:
    write(tmp_path, "[exchange]\nproxy = 'proxy.example.org:3128'\n")
    assert "http://proxy.example.org:3128" in complaint(tmp_path)
