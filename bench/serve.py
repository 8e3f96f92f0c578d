"""``vsdk serve`` with one thing changed: no limit to the messages a second.

A closed loop sends some thousand messages a second, and the product closes a connection at more than 100. The
budget is still counted for every message; it is only larger. Arguments as for ``vsdk``.
"""

import sys

from vsdk import cli
from vsdk.server import signalling

if __name__ == "__main__":
    signalling.MESSAGES_PER_SECOND = 10**9
    sys.exit(cli.main())
