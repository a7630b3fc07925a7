"""A browser without JavaScript for tests of forms: keeps cookies as browsers do, fills in the forms that pages hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie

from aiohttp import ClientSession, DummyCookieJar
from lxml import html

PAGE = {"Accept": "text/html", "Accept-Language": "en"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; redirects are not followed."""

    status: int
    headers: Mapping[str, str]
    cookies: tuple[str, ...]
    body: str

    @property
    def page(self) -> html.HtmlElement:
        return html.fromstring(self.body)

    @property
    def text(self) -> str:
        """What a person reads."""
        return " ".join(self.page.text_content().split())

    @property
    def leads_to(self) -> str:
        """Where a redirect goes."""
        assert self.status == 303, (self.status, self.body[:200])
        return self.headers["Location"]


@dataclass
class Browser:
    """One person's browser at one address."""

    client: ClientSession
    address: str
    cookies: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)  # beside those of every page

    async def get(self, path: str) -> Answer:
        return await self.ask("GET", path)

    async def ask(self, method: str, path: str, fields: Mapping[str, str] | None = None, **headers: str) -> Answer:
        sent = PAGE | self.headers | headers
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        async with self.client.request(
            method, self.address + path, data=fields, headers=sent, allow_redirects=False
        ) as got:
            told = tuple(got.headers.getall("Set-Cookie", ()))
            for each in told:
                for name, morsel in SimpleCookie(each).items():
                    self.cookies.pop(name, None)
                    if morsel["max-age"] != "0":
                        self.cookies[name] = morsel.value
            return Answer(status=got.status, headers=got.headers, cookies=told, body=await got.text())

    async def send(self, path: str, number: int = 0, /, **fields: str) -> Answer:
        """Fill in and send a form of the page at this path: the first, unless said otherwise, that has these fields."""
        shown = await self.get(path)
        assert shown.status == 200, (shown.status, shown.headers.get("Location"), shown.body[:200])
        fitting = [each for each in shown.page.forms if set(fields) <= set(each.fields) | _buttons(each)]
        form = fitting[number]
        values = {name: value for name, value in form.form_values() if isinstance(value, str)} | fields
        return await self.ask("POST", form.action or path, values)

    async def sign_in(self, name: str, password: str, code: str = "", path: str = "/sign-in") -> Answer:
        return await self.send(path, name=name, password=password, code=code)


def client() -> ClientSession:
    """A client that keeps no cookies of its own."""
    return ClientSession(cookie_jar=DummyCookieJar())


def _buttons(form: html.HtmlElement) -> set[str]:
    return {str(each.get("name")) for each in form.iter("button") if each.get("name")}
