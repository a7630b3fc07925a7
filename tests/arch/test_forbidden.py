"""Calls that have hurt others are in no module of a node, or are listed here with the reason why they do no harm.

ASVS 5.0: 1.2.5, 1.2.9, 1.3.2, 1.3.7, 1.3.10, 1.5.1, 1.5.2, 11.3.1, 11.4.1, 11.5.1, 12.3.2.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from node.guard import PACKAGES
from tests.arch import statements

ROOT = Path(__file__).resolve().parents[2]

# What is named so, whole or after a dot, whether called or handed on, and why not.
CALLS: dict[str, str] = {
    "eval exec compile __import__": "runs text as program",
    "os.system os.popen create_subprocess_shell getoutput getstatusoutput": "a shell reads the words again",
    "pickle.load pickle.loads marshal.loads shelve.open yaml.load dill.loads": "reading makes any object",
    "hashlib.md5 hashlib.sha1 hashlib.new": "broken, or chosen by who knows whom",
    "tempfile.mktemp": "the name can be taken before it is used",
    "xinclude XSLT xpath XPath": "fetches documents, or is put together like SQL",
    "extractall unpack_archive": "names inside an archive lead anywhere",
    "Markup from_string": "HTML or templates beside the escaping",
    "_create_unverified_context CERT_NONE": "TLS without looking at whom",
    "modes.ECB modes.CBC modes.CTR PKCS1v15 ARC4 TripleDES Blowfish": "weak, or open to changes by who can't read it",
    "random.random random.choice random.randint random.randbytes random.getrandbits random.sample": "can be foretold",
}
NAMED: dict[str, str] = {  # arguments that are never given so
    "shell=True": "a shell reads the words again",
    "autoescape=False": "a template that doesn't escape",
    "resolve_entities=True": "XML that fetches and grows",
    "no_network=False": "XML that fetches",
    "huge_tree=True": "XML without limits",
    "load_dtd=True": "XML that fetches and grows",
    "ssl=False": "TLS without looking at whom",
    "verify=False": "TLS without looking at whom",
    "check_hostname=False": "TLS without looking at whom",
    "trust_env=True": "a way out past the outgoing door",
}
IMPORTS = {"pickle", "marshal", "shelve", "telnetlib", "xmlrpc", "ftplib", "smtplib", "tarfile", "zipfile"}
IMPORTS |= {"xml.etree.ElementTree", "xml.sax", "xml.dom.minidom", "requests", "urllib.request", "http.client"}

# module: what it may, and why.
REASONS: dict[str, dict[str, str]] = {
    "exchange/linking.py": {"random.random": "lengthens pauses so that not all nodes ask at once; nothing secret"},
    "protocols/tables/unpack.py": {"zipfile": "counts rows piece by piece, within bounds; keeps nothing"},
    "protocols/tables/workbook.py": {"zipfile": "reads what a workbook says of its size; unpacks nothing"},
    "services/access/totp.py": {"hashlib.sha1": "inside HMAC, as RFC 6238 and every authenticator have it"},
}
PATTERNS = {  # functions that make patterns of more than literals: of tables that ship with the program, but for one
    "catalog/database/complaints.py:error": "COMPLAINTS, in that module",
    "dms/addresses.py:_private": "addresses.toml",
    "dms/batch_pattern.py:__init__": "written by staff: only what can't run away (_counts)",
    "dms/batch_pattern.py:check": "the same",
    "dms/crosswalk/marc/table.py:_rule": "tables of a crosswalk",
    "dms/crosswalk/rows.py:_part": "the same",
    "dms/formats/media.py:_alternatives": "a table of the formats",
    "dms/formats/resources.py:_words": "resources.toml",
    "dms/garbled.py:_misread": "the character set GBK: letters and Han, none with a meaning in a class",
    "dms/match/words.py:pattern": "words.toml, and literals of its callers in dms/match",
    "dms/merge_policy.py:_any": "merge_policy.toml",
    "dms/merge_policy.py:_compares": "merge_policy.toml",
    "dms/merge_policy.py:_matches": "merge_policy.toml",
    "dms/merge_policy.py:parse": "merge_policy.toml",
    "dms/rules/coded.py:_all_match": "tables of definitions, escaped",
    "dms/rules/content/nonfiling.py:_table": "articles.toml, escaped",
    "dms/shapes.py:_table": "shapes.toml",
    "protocols/charsets/evidence.py:__init__": "what _scorer made",
    "protocols/charsets/evidence.py:_scorer": "a table of the character sets, escaped",
    "protocols/charsets/marc8.py:_defaults": "a table of the character sets, escaped",
    "protocols/marclines.py:_patterns": "the signs before subfield codes, escaped",
    "protocols/xmlscan.py:__init__": "names of elements, literals of the carriers",
}
FORMATS = {  # templates of messages that are not a constant in capitals
    "node/messages.py:text": "the table of messages, which ships with the program",
    "services/delivery/giving.py:base": "labels.toml",
    "services/delivery/giving.py:told": "labels.toml",
}


@cache
def modules() -> tuple[statements.Module, ...]:
    """Those of a running node: not what makes tables from a standard's files, by hand, at a developer's."""
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return tuple(
        statements.read(path.read_text(encoding="utf-8"), path) for path in paths if not path.name.startswith("make_")
    )


BARE = ("eval", "exec", "compile", "__import__")  # functions of the language: `re.compile` is none of them
WANTED = {each for names in CALLS for each in names.split()}
LAST = {each.rpartition(".")[2] for each in WANTED}


def named(node: ast.AST) -> str:
    """The forbidden name that a node is, or ''."""
    last = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    if last not in LAST:
        return ""
    name = ast.unparse(node)
    return next((each for each in WANTED if name == each or (each not in BARE and name.endswith(f".{each}"))), "")


def forbidden(where: statements.Module) -> list[str]:
    """What a module must not have."""
    found = [bad for node in ast.walk(where.tree) if (bad := named(node))]
    for node in ast.walk(where.tree):
        if isinstance(node, ast.Call):
            found += [given for each in node.keywords if (given := f"{each.arg}={ast.unparse(each.value)}") in NAMED]
        elif isinstance(node, ast.Import):
            found += [each.name for each in node.names if each.name in IMPORTS]
        elif isinstance(node, ast.ImportFrom) and node.module:
            wanted = {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
            found += sorted(wanted & IMPORTS)
    return found


def read(source: str) -> statements.Module:
    return statements.read(source, ROOT / "catalog" / "made_up.py")


def place(where: statements.Module) -> str:
    return str(where.path.relative_to(ROOT))


def test_no_module_has_what_is_forbidden() -> None:
    found = {place(where): set(bad) for where in modules() if (bad := forbidden(where))}
    assert found == {name: set(reasons) for name, reasons in REASONS.items()}


@pytest.mark.parametrize("name", [each for names in CALLS for each in names.split()])
def test_every_forbidden_call_would_be_found(name: str) -> None:
    assert forbidden(read(f"x = {name}(y)")) == [name]
    assert forbidden(read(f"x = call(y, {name})")) == [name]
    assert forbidden(read(f"x = other.{name}(y)")) == ([] if name in BARE else [name])


@pytest.mark.parametrize("given", NAMED)
def test_every_forbidden_argument_would_be_found(given: str) -> None:
    assert forbidden(read(f"x = call(y, {given})")) == [given]


@pytest.mark.parametrize("name", sorted(IMPORTS))
def test_every_forbidden_import_would_be_found(name: str) -> None:
    assert forbidden(read(f"import {name}")) == [name]
    assert forbidden(read(f"from {name} import thing")) == [name]
    package, _, last = name.rpartition(".")
    assert not package or forbidden(read(f"from {package} import {last}")) == [name]


def test_names_that_only_look_like_it_pass() -> None:
    assert forbidden(read("re.compile('a')\nconn.execute('b')\ncall(shell=False, ssl=context)")) == []


def test_patterns_are_never_made_of_what_comes_from_outside() -> None:
    found = set()
    for where in modules():
        for function, call in statements.inside(where):
            name = ast.unparse(call.func) if isinstance(call.func, ast.Attribute) else ""
            if (
                re.fullmatch(r"re\.\w+", name)
                and name != "re.escape"
                and not statements.fixed(where, function, call.args[0])
            ):
                found.add(f"{place(where)}:{function.name}")
    assert found == set(PATTERNS)


def test_templates_of_messages_are_ours() -> None:
    found = set()
    for where in modules():
        for function, call in statements.inside(where):
            if isinstance(call.func, ast.Attribute) and call.func.attr in ("format", "format_map"):
                root = re.match(r"[\w.]+", ast.unparse(call.func.value))
                ours = isinstance(call.func.value, ast.Constant) or (root and root[0].split(".")[-1].isupper())
                if not ours:
                    found.add(f"{place(where)}:{function.name}")
    assert found == set(FORMATS)


def test_no_template_turns_escaping_off() -> None:
    pages = list((ROOT / "node" / "web" / "templates").glob("*.html"))
    assert pages
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"\|\s*safe|autoescape|<script|\son\w+\s*=|style\s*=|javascript:", text, re.I), page.name
