"""Textual: screens and widgets that draw frozen snapshots and own no truth."""
