"""Submitting: a cataloguer's single records, looked at before they are placed, reviewed where that is called for; and
reservations of what somebody is about to catalogue.
"""
