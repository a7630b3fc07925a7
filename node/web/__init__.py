"""The web door: pages for people, JSON and OAI-PMH for programs.

Read `routes` first: every URL on one page. `middleware` wraps them all (request id, language, headers, errors);
`inputs` turns a query string into a search; `pages`, `api` and `machine` answer. No page needs JavaScript, and the
content security policy allows none. May import: services, catalog, protocols, config.
"""
