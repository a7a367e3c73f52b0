"""Contacts and their labels over the API (WIRE 2: Wix Contacts v4)."""
