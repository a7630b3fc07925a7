"""Returning: what came back, by rule and source; a fix seen before it is made; reading again what can pass now."""
