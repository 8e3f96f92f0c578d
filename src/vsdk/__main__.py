"""``python -m vsdk``."""

import sys

from vsdk.cli import main

sys.exit(main())
