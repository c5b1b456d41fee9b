"""Start a project's other services as threads of the process that serves its API.

With an in-memory message bus they need no broker and no processes of their own.
"""

import os
import threading
import traceback


def start(name, run):
    """Call ``run`` in a thread; its failure ends the whole process, which is then reported."""

    def guarded():
        try:
            run()
        except BaseException:
            traceback.print_exc()
            os._exit(1)

    threading.Thread(target=guarded, name=name, daemon=True).start()
