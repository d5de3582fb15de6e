"""Segments to conversations: flow ids, TCP state as a table, port reuse. Pure: no I/O."""
