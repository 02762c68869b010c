"""Which attack is tried by which test, read from the tests' names (`test_a17_…`); written to docs/reliability-attacks.md."""

import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reliability-attacks.md"

ATTACKS: dict[str, dict[int, str]] = {
    "HTTP and JSON": {
        1: "malformed JSON",
        2: "invalid UTF-8",
        3: "a key twice",
        4: "NaN, Infinity, 1e309",
        5: "nesting beyond 64",
        6: "a body beyond its limit, told or not",
        7: "a wrong or missing media type",
        8: "an Accept that nothing serves",
        9: "an unknown field",
        10: "NUL and control characters",
        11: "a lone surrogate",
        12: "integers beyond 64 bits, or of 5,000 digits",
        13: "limits out of range, cursors tampered with",
        14: "sorting or filtering by what is not offered",
        15: "methods that are not there, TRACE",
        16: "malformed Host or path",
        17: "a body of two lengths",
        18: "a head beyond 16 KB",
        19: "a body that drips",
        20: "a form of 100,000 fields, a part with a huge head",
        21: "a compressed body",
        22: "a parameter twice",
        23: "days and moments that are none",
        24: "heaps of combining marks, turned writing, VINs that only look right",
    },
    "Keys and versions": {
        25: "no key where one is needed",
        26: "a key for another body",
        27: "a key in flight",
        28: "another's key",
        29: "a key that is too long or not printable",
        30: "a stale or missing version",
        31: "a hundred copies at once",
    },
    "Login and tokens": {
        32: "no token, an old one, one of tomorrow",
        33: "alg none, HS256 with our public key",
        34: "keys named or brought in the head",
        35: "an unknown `crit`",
        36: "a token for another audience or use",
        37: "JWS in JSON with empty signatures",
        38: "another spelling of a token",
        39: "a user disabled, a role or store taken away",
        40: "a refresh token used twice",
        41: "the sixth wrong password",
        42: "X-Forwarded-For rotated",
        43: "whether a user exists",
        44: "a password of 4 KB and of 10 MB",
        45: "fifty logins at once",
        46: "a reset link used again",
        47: "a one-time code used again or guessed",
        48: "a forged request with a cookie",
        49: "the event stream without token, or of another",
    },
    "Stores and rights": {
        50: "a thing of another store by its id",
        51: "a thing of another store in a body",
        52: "a list of another store",
        53: "a report in another's name",
        54: "search, lists, counts, files, cursors, audit of another store",
        55: "role, owner, price floor in a body",
        56: "rights beyond one's own",
        57: "cost and margin for a seller",
        58: "approving what one asked for",
        59: "one foreign id among many",
        60: "a cache without store or role in its key",
        61: "a token of the inside at the door",
        62: "a service past the door",
    },
    "Money": {
        63: "amounts that are no plain decimals",
        64: "negative or no amounts",
        65: "totals and prices of the client's own",
        66: "another currency",
        67: "more back than was paid, in parallel",
        68: "a customer who triggers a payment",
        69: "posting into a closed period",
        70: "an entry that does not balance",
        71: "editing or deleting a posted entry",
        72: "a race for one quota or deposit",
        73: "a rounding that loses a cent",
        74: "a step left out",
    },
    "Files and imports": {
        75: "XML with DTD, entities, inclusions, disguises",
        76: "a billion laughs, a million attributes",
        77: "archives that burst",
        78: "files that are not what they say",
        79: "an image of 50,000 × 50,000",
        80: "file names with paths or scripts",
        81: "CSV in the wrong encoding or form",
        82: "cells that a spreadsheet would run, exported",
        83: "cells that a spreadsheet would run, imported",
        84: "import rows of another store",
        85: "templates in texts that are printed",
    },
    "Webhooks": {
        86: "targets inside",
        87: "a redirect to the inside",
        88: "a name that changes its address",
        89: "an answer without end",
        90: "other schemes, ports, credentials",
        91: "inbound without signature, late or twice",
        92: "two secrets at once",
    },
    "Console and output": {
        93: "a stored script",
        94: "a javascript: link in a profile",
        95: "a redirect elsewhere",
        96: "line breaks in logs and headers",
        97: "what an internal error tells",
        98: "documents and metrics from outside",
        99: "an erased person in search, events, files",
        100: "personal data in addresses and logs",
    },
}
ALSO: dict[int, tuple[str, ...]] = {
    42: ("test_a41_the_sixth_wrong_password_waits",),
    73: ("test_a_hundred_in_three_shares_loses_no_cent", "test_a_split_sums_exactly_and_every_part_is_within_a_unit_of_its_share"),
    99: ("test_a_forgotten_person_is_unreadable_in_every_service_and_the_ledger_still_balances",),
}
"""Tests that try an attack without its number in their name."""
WAITING: dict[int, str] = {
    46: "there are no reset links: an administrator gives a first password",
    47: "there are no one-time codes yet",
    68: "customers have no access yet",
    77: "no archive is taken yet",
    78: "no file but ADF/XML is taken yet",
    79: "no image is taken yet",
    80: "no file name is taken; files that are given have generated names",
    81: "no CSV is taken yet",
    82: "no spreadsheet is given out yet",
    83: "no spreadsheet is taken yet",
    84: "no list is imported yet; ADF/XML names vendors, whose stores are settings",
    86: "no webhook is sent yet",
    87: "no webhook is sent yet",
    88: "no webhook is sent yet",
    89: "no webhook is sent yet",
    90: "no webhook is sent yet",
    91: "no webhook is taken yet",
    92: "webhooks have no secrets yet",
    94: "no field holds a link",
}


def tests() -> dict[int, dict[str, str]]:
    """By attack the names of its tests and their files."""
    also = {name: number for number, names in ALSO.items() for name in names}
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for folder in ("shared", "services", "tests"):
        for file in sorted((ROOT / folder).rglob("test_*.py")):
            for name in re.findall(r"^(?:async )?def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE):
                numbers = re.match(r"test((?:_a[0-9]+)+)_", name)
                told = {int(number) for number in re.findall(r"[0-9]+", numbers[1])} if numbers else set()
                for number in told | ({also[name]} if name in also else set()):
                    found[number][name] = str(file.relative_to(ROOT))
    return found


def page() -> str:
    """The page as it should be."""
    found = tests()
    tried = sum(1 for attacks in ATTACKS.values() for number in attacks if number in found)
    lines = [
        "# Attacks A1–A100",
        "",
        "What is tried against the platform, by number, and the tests that try it; written by `python -m tests.attacks`.",
        f"{tried} of {sum(map(len, ATTACKS.values()))} are tried, {len(WAITING)} wait for what they attack.",
        "`make fuzz` adds requests that nobody thought of.",
    ]
    for title, attacks in ATTACKS.items():
        lines += ["", f"## {title}", "", "| | attack | tests |", "|---|---|---|"]
        for number, attack in attacks.items():
            told = ", ".join(f"`{name}`" for name in found[number]) if number in found else f"waits: {WAITING.get(number, '')}"
            lines.append(f"| A{number} | {attack} | {told} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
