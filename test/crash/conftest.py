# SPDX-License-Identifier: Apache-2.0
"""The fixtures of the integration tests, for tests that kill what they start."""

import importlib.util
import pathlib
import sys

folder = pathlib.Path(__file__).resolve().parents[1] / "integration"
spec = importlib.util.spec_from_file_location("processes", folder / "conftest.py")
processes = importlib.util.module_from_spec(spec)
sys.modules["processes"] = processes
sys.path.append(str(folder))
spec.loader.exec_module(processes)

wasl = processes.wasl  # pytest finds a fixture by its name here
