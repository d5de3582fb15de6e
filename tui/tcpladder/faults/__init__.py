"""Faults as data: what is broken, between whom, for how long, and how it is undone. Pure; the agent carries it out."""
