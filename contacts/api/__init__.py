"""Contacts and their labels over the API (the shapes of Wix Contacts v4)."""
