"""Kinds of command line arguments that the stand-ins share."""

from __future__ import annotations

import argparse


def port(text: str) -> int:
    """A port number; argparse tells what is none."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError("a number from 0 to 65535")
    return int(text)


def not_negative(text: str) -> float:
    """A number of 0 or more; argparse tells what is none."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < 1e9:
        raise argparse.ArgumentTypeError("a number of 0 or more")
    return number
