"""Frames on disk: the bounded spool of a live capture, saving, re-reading one frame, dissecting it with scapy."""
