"""The first batch of a process must not meet OpenVINO's own initialisation in two threads.

Its Python bindings fill a table under a C++ guard and give up the interpreter lock while they do;
a second thread that waits for the guard with the lock held stops the whole worker for ever.
"""

import subprocess
import sys
from pathlib import Path

from tests.conftest import REPOSITORY

PROGRAM = """
import sys, threading, time
from pathlib import Path
import numpy as np
from detection.detectors.factory import DetectorOptions, load_detector

def busy():
    while True:
        sum(range(100))

detector = load_detector(DetectorOptions(weights="yolo26n.pt", folder=Path(sys.argv[1])))
list(detector._threads.map(time.sleep, [0.1, 0.1]))  # both stand ready, as after a while
sys.setswitchinterval(1e-5)
for _ in range(3):
    threading.Thread(target=busy, daemon=True).start()
print(len(detector.detect(np.zeros((4, 384, 640, 3), np.uint8))))
"""


def test_the_first_batch_of_a_busy_process_is_answered(model_dir: Path) -> None:
    for _ in range(4):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(model_dir)],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        assert done.stdout == "4\n", done.stderr
