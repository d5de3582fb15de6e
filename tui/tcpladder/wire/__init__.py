"""Frames to columns of TCP header fields, whole batches at a time. Pure: no I/O, no clock."""
