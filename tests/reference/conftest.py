"""The scripts that made the stored numbers need other programs and are not run by the tests."""

collect_ignore_glob = ["scripts/*"]
