"""Python's torch and numpy for the checks in this folder; ends them with exit code 77 (skipped) where they are missing.

In Debian they are the package python3-torch.
"""
import os, sys

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is loaded

try:
    import numpy
    import torch
except ImportError as error:
    print(f"skipped: {error}; to run it: apt-get install python3-torch")
    sys.exit(77)
