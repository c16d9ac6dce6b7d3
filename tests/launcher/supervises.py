"""Supervises the programs given as JSON `[[name, stage, python code], …]`; run by tests, from outside.

It is ready when the file named second exists, and says so.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from supervisor import Program, Supervisor, Terminal

if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    marker = Path(sys.argv[2])
    programs = [
        Program(name, [sys.executable, "-c", code], os.environ, stage, seconds_to_stop=2) for name, stage, code in given
    ]
    terminal = Terminal(sys.stdout, ["altayar", *(program.name for program in programs)])
    supervisor = Supervisor(programs, (), folder=Path.cwd(), terminal=terminal)
    sys.exit(supervisor.run(marker.exists, lambda: terminal.write("READY")))
