"""Commands."""

import sys


def greet(arguments: list[str]) -> int:
    sys.stdout.write(f"hello {arguments}\n")
    return 7


def quiet(arguments: list[str]) -> None:
    return None


def muddled(arguments: list[str]) -> str:
    return "not an exit code"


def sure(arguments: list[str]) -> bool:
    return True
