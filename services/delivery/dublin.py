"""`Description` → simple Dublin Core in the oai_dc container (DCMES 1.1; OAI-PMH guidelines, oai_dc.xsd)."""

from __future__ import annotations

from collections.abc import Iterator

from catalog.model import Description
from protocols.oaipmh.wire import escape

NAMESPACE = "http://www.openarchives.org/OAI/2.0/oai_dc/"
SCHEMA = "http://www.openarchives.org/OAI/2.0/oai_dc.xsd"
_OPEN = (
    f'<oai_dc:dc xmlns:oai_dc="{NAMESPACE}" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="{NAMESPACE} {SCHEMA}">'
)


def heading(description: Description) -> str:
    """Title, other title information and part, with the punctuation of ISBD between them."""
    title = description.title
    if description.subtitle:
        title += f" : {description.subtitle}"
    if description.volume:
        title += f". {description.volume}"
    return title


def elements(description: Description, ident: str) -> Iterator[tuple[str, str]]:
    """(element, value) pairs in the order of DCMES; `ident` is the cluster id, always one of the identifiers."""
    yield "title", heading(description)
    yield from (("title", each) for each in description.parallel)
    yield from (("creator", each) for each in description.authors or (description.responsibility,))
    yield from (("subject", each) for each in description.subjects)
    yield from (("subject", each) for each in description.classification)
    yield "description", description.summary
    yield from (("description", each) for each in description.notes)
    yield "publisher", description.publisher
    yield "date", str(description.year) if description.year else description.date
    yield "type", description.kind
    yield "format", description.extent
    yield "identifier", ident
    yield from (("identifier", f"urn:isbn:{each}") for each in description.isbns)
    yield from (("identifier", f"urn:issn:{each}") for each in description.issns)
    yield from (("identifier", each) for each in description.links)
    yield from (("language", each) for each in description.languages)
    yield from (("relation", each) for each in description.series)


def write(description: Description, ident: str) -> str:
    """The oai_dc element, without an XML declaration; elements without a value are left out."""
    rows = "".join(f"<dc:{name}>{escape(value)}</dc:{name}>" for name, value in elements(description, ident) if value)
    return f"{_OPEN}{rows}</oai_dc:dc>"
