"""`python -m tcpladder`: the same as the command `tcpladder`."""

from tcpladder.cli import main

if __name__ == "__main__":
    main()
