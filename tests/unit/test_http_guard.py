"""Where requests may go: every kind of address, what the operator allows, and URLs that hide what they mean."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import allow
from config.allow import Allow
from protocols.http import guard, networks, targets
from protocols.http.guard import Forbidden, Rules
from protocols.http.networks import Kind

NOTHING = Allow()

KINDS = {
    Kind.PUBLIC: [
        "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
        "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
        "202.112.0.36", "223.255.255.255", "2001:200::1", "2400:3200::1", "2606:4700::1111", "::ffff:1.1.1.1",
        "64:ff9b::101:101", "2002:101:101::1",
    ],
    Kind.PRIVATE: [
        "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1", "127.255.255.255", "172.16.0.0",
        "172.31.255.255", "192.168.0.0", "192.168.255.255", "::1", "fc00::1", "fdff:ffff::1", "::ffff:10.0.0.1",
        "::ffff:127.0.0.1", "64:ff9b::a00:1", "64:ff9b::7f00:1", "2002:a00:1::1", "2002:7f00:1::", "2002:c0a8:101::1",
        "2400:3200::5efe:10.0.0.1", "2400:3200::200:5efe:127.0.0.1",
    ],
    Kind.SPECIAL: [
        "192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1",
        "::7f00:1", "::a00:1", "::8.8.8.8", "64:ff9b:1::a00:1", "64:ff9b:1:ffff::1", "100::1", "2001:10::1",
        "2001:db8::1", "3fff::1", "4000::1", "5f00::1", "fec0::1",
        "2001:0:101:101:0:0:fefe:fefe",
    ],
    Kind.NEVER: [
        "0.0.0.0", "0.1.2.3", "100.100.100.200", "168.63.129.16", "169.254.0.1", "169.254.169.254", "192.0.0.192",
        "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "fe80::1", "febf::1", "ff02::1",
        "fd00:ec2::254", "fd20:ce::254", "::ffff:169.254.169.254", "::ffff:0.0.0.0", "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1", "::169.254.169.254", "::255.255.255.255", "2001::1",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in KINDS.items() for text in texts])
def test_address_is_of_its_kind(kind: Kind, text: str) -> None:
    assert networks.place(ip_address(text)).kind is kind


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in KINDS.items() for text in texts])
def test_kind_decides_who_may_go_there(kind: Kind, text: str) -> None:
    address = ip_address(text)
    everywhere = allow.read("0.0.0.0/0 ::/0")
    assert (guard.address(address, NOTHING, named=False) == "") is (kind is Kind.PUBLIC)
    assert (guard.address(address, NOTHING, named=True) == "") is (kind in (Kind.PUBLIC, Kind.PRIVATE))
    assert (guard.address(address, everywhere, named=False) == "") is (kind is not Kind.NEVER)


@given(st.ip_addresses(v=4))
def test_what_python_calls_private_is_never_public_and_no_wrapping_makes_it_so(inner: IPv4Address) -> None:
    kind = networks.place(inner).kind
    if not inner.is_global:
        assert kind is not Kind.PUBLIC
    number = int(inner)
    wrapped = {
        "mapped": 0xFFFF << 32 | number,
        "NAT64": 0x64FF9B << 96 | number,
        "6to4": 0x2002 << 112 | number << 80,
        "compatible": number,
        "Teredo server": 0x2001 << 112 | number << 64,
        "Teredo client": 0x2001 << 112 | 0x01010101 << 64 | number ^ 0xFFFFFFFF,
        "ISATAP": 0x2400 << 112 | 0x5EFE << 32 | number,
    }
    for how, wrapping in wrapped.items():
        outer = ip_address(wrapping.to_bytes(16, "big"))
        assert networks.place(outer).kind >= kind, how


def test_an_interface_of_this_machine_is_no_target() -> None:
    assert guard.address(ip_address("2400:3200::1%eth0"), NOTHING, named=True)


# http.allow


def test_allowed_are_networks_hosts_and_ports() -> None:
    told = allow.read(" 10.20.0.0/16, fd12::/32\n192.168.1.9 OPAC.lib.internal. 10.9.9.9:8090 [fd00::5]:81 node:8080 ")
    assert [str(network) for network in told.networks] == ["10.20.0.0/16", "fd12::/32", "192.168.1.9/32"]
    assert told.names("opac.lib.internal", 1234) and told.names("10.9.9.9", 8090) and told.names("fd00::5", 81)
    assert told.names("node", 8080) and not told.names("node", 8081) and not told.names("10.9.9.9", 80)
    assert allow.read("") == allow.read(" , ") == NOTHING


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("10.20.0.1/16", "has host bits set"),
        ("10.0.0.0/33", "10.0.0.0/33 is no network"),
        ("a.example 300.1.1.1", "300.1.1.1 is no address"),
        ("010.0.0.1", "010.0.0.1 is no address"),
        ("127.1", "127.1 is no address"),
        ("http://a.example", "http://a.example is no network"),
        ("a.example:99999", "a.example:99999 is no host"),
        ("a.example:", "a.example: is no host"),
        ("user@a.example", "user@a.example is no host"),
        ("*.example", "*.example is no host name"),
        ("[fd00::g]", "[fd00::g] is no host"),
        ("-a", "-a is no host name"),
        ("10.0.0.1;10.0.0.2", "is no address"),
    ],
)
def test_wrong_item_is_named(text: str, named: str) -> None:
    with pytest.raises(ValueError) as caught:
        allow.read(text)
    assert named in str(caught.value)


# URLs


def admitted(url: str, told: str = "", *, named: bool = False) -> bool:
    return targets.admit(targets.read(url), Rules(allow=allow.read(told)), named=named)


@pytest.mark.parametrize(
    "url",
    [
        "http://lib.example.cn/", "https://lib.example.cn/a?b=c#d", "HTTP://LIB.example.CN:80/", "http://1.1.1.1/",
        "https://[2400:3200::1]:8443/x", "http://图书馆.中国/目录?q=红楼梦", "http://a_b.example/", "http://lib.example.cn.:8080/",
        "http://1.1.1.1.example.cn/", "http://0x7f.example.cn/", "http://xn--fiq228c.cn", "http://lib.example:1024/",
        "https://lib.example/a%2Fb/%7Euser?x=%26", "http://localhost.example.cn/", "http://lib.example/@you/x@y",
    ],
)  # fmt: skip
def test_public_address_is_admitted_strictly(url: str) -> None:
    assert not admitted(url)


def test_exact_url_stays_as_it_was_written() -> None:
    for url in ("https://lib.example/a%2Fb/%7Euser?x=%26&y=a+b;c", "http://lib.example/%e4%b8%ad?sig=%2B%2f"):
        assert str(targets.read(url).url) == url
    assert str(targets.read("http://图书馆.中国/目 录".replace(" ", "")).url).startswith("http://xn--")
    asked = targets.read("http://lib.example/s?a=1", [("q", "红楼 梦&x=1"), ("q", "b")])
    assert asked.url.query.getall("q") == ["红楼 梦&x=1", "b"] and asked.url.query["a"] == "1"


def test_host_named_by_the_operator_may_be_private_at_its_port_only() -> None:
    assert admitted("http://10.1.2.3:81/x", "10.1.2.3:81")
    assert admitted("http://node:25/x", "node")
    assert admitted("http://[::1]:8080/", named=True) and admitted("http://localhost:22/", named=True)
    for url in ("http://10.1.2.3:82/", "http://10.1.2.4:81/", "http://node.:81/x"):
        with pytest.raises(Forbidden):
            admitted(url, "10.1.2.3:81")
    for url in ("http://10.1.2.3:8081/", "http://[::ffff:10.1.2.3]:8081/"):
        assert not admitted(url, "10.0.0.0/8")
    with pytest.raises(Forbidden, match="port 0"):
        admitted("http://node:0/", named=True)
    with pytest.raises(Forbidden, match="port 81"):
        admitted("http://10.1.2.3:81/", "10.0.0.0/8")
    for url in ("http://169.254.169.254/", "http://0.0.0.0:80/", "http://[fe80::1]/"):
        with pytest.raises(Forbidden):
            admitted(url, "169.254.169.254 0.0.0.0/0", named=True)


@pytest.mark.parametrize(
    "url",
    [
        f"http://lib.example:{port}/"
        for port in (1, 21, 22, 23, 25, 53, 81, 110, 143, 445, 1023, 3306, 5432, 6000, 6379, 6667, 10080, 11211, 27017)
    ],
)
def test_ports_of_other_services_are_not_asked(url: str) -> None:
    with pytest.raises(Forbidden, match="is not one for HTTP"):
        admitted(url)


def test_redirect_leads_where_its_location_says_and_never_from_https_to_http() -> None:
    here = targets.read("https://lib.example/a/b?c=d")
    assert str(targets.onward(here, "../x?y").url) == "https://lib.example/x?y"
    assert str(targets.onward(here, "//other.example/z").url) == "https://other.example/z"
    assert targets.onward(here, "//other.example/z").origin != here.origin == targets.onward(here, "/").origin
    for location, why in (
        ("http://lib.example/a", "from https to http"),
        ("ftp://lib.example/a", "only http and https"),
        ("javascript:alert(1)", "only http and https"),
        ("//me:secret@lib.example/", "credentials"),
        ("http://[", "no URL"),
        ("/a b", "no URL"),
        ("\\\\other.example/", "no URL"),
        ("/\udcff", "no URL"),
    ):
        with pytest.raises(Forbidden, match=why) as caught:
            targets.onward(here, location)
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://me:secret@lib.example/", "http://secret@10.0.0.1/x", "http://10.0.0.1/x?key=secret", "secret@[",
        "http://[?secret", "http:me:secret@lib.example", "ftp://me:secret@lib.example/#secret", "http://a b?secret",
    ],
)  # fmt: skip
def test_message_tells_neither_credentials_nor_the_query(url: str) -> None:
    with pytest.raises(Forbidden) as caught:
        admitted(url)
    assert "secret" not in str(caught.value)
    assert "secret" not in "".join(str(each) for each in (caught.value.args, caught.value.reason))
