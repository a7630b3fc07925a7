"""IS: one process. Command line, roles, web routes and templates, and the one place where everything is wired.

May import everything below. Only this package reads the profile (tier, capabilities).
"""

from node import guard

guard.check()
