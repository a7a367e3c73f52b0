"""Brightside Joinery, the business that a first visit finds: its story, and the telling of it."""
