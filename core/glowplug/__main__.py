"""``python -m glowplug``.

Owns: nothing; it is another way to the command.
Must not know: what the command does.
"""

import sys

from glowplug.cli import main

if __name__ == "__main__":
    sys.exit(main())
