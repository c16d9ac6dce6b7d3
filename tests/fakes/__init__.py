"""Small real stand-ins for what the project talks to; they pass the same contract suites as the real ones."""
