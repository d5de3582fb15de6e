"""What `tcpladder config --sample` prints before the keys: every setting with what it does, each commented out."""

SAMPLE = """\
# Settings of tcpladder. Everything is optional; what is left out, or stands behind a #, keeps its default.
# `tcpladder config` says where this file belongs, what is in force, and where each value comes from.

[screen]
# Colours: dark, light, colour-blind, colour-blind-light, 16-colours, 16-colours-light; a theme of Textual, such as
# nord; or auto: by what the terminal can show. `:` and the word theme choose another for this time.
# theme = "auto"
# ascii, unicode, or auto: by the locale and TERM. --ascii goes before it.
# characters = "auto"
# Clicks go to the app; false leaves them to the terminal, as --no-mouse does.
# mouse = true
# What is masked from the start: nothing, addresses, ports (with the addresses). P changes it.
# privacy = "nothing"
# Whether the first start shows around. --no-tour goes before it.
# tour = true

[retention]
# How much of a live capture can be looked into and saved later: a size or a time, as --keep takes it.
# live = "64MiB"
# How many captures the list of those opened lately has; 0 keeps no list.
# recent = 12

# A stack of your own, for `--profile appliance` on check, show, open and live.
# What it does not say is as in the profile that `like` names: linux where it is left out.
# [profiles.appliance]
# like = "linux"
# words = "our appliance, firmware 7"
# TIME/INTERVAL/PROBES, or each by its name:
# keepalive = "55/6/2"
# keepalive_time = "55s"
# keepalive_intvl = "6s"
# keepalive_probes = 2
# syn_retries = 5
# A time takes us, ms, s, min or h behind it; a bare number is in the unit of the kernel's own setting.
# rto_min = "200ms"
# How its keepalive looks: bytes of garbage in a probe (1 on Windows and old BSD); whether a RST tells the peer that
# keepalive gave up; whether what it sends itself restarts keepalive_time, too.
# probe_bytes = 0
# resets = true
# idles_from_own = false
"""
