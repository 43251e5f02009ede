# Copyright (c) 2026, linuxnet.lab contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Split a shell script into simple commands, without running it.

A simple command has only words: no variables, patterns or substitutions. The result contains everything else as text
without words, so that the caller can list it.
"""

from __future__ import annotations

import re
import shlex
import typing as t

_OPENING = ("if", "for", "while", "until", "case", "{", "(", "select", "function")
_CLOSING = ("fi", "done", "esac", "}", ")")
_FUNCTION = re.compile(r"\w+\s*\(\)")
_HEREDOC = re.compile(r"<<-?\s*[\"']?(\w+)")
_NEEDLESS = re.compile(r"(\b(?:then|do|else)|\{);")  # a semicolon for a line's end
_OPERATORS = ";&|<>()"
_SEPARATORS = (";", "&&", "&", "||")
_QUIET = re.compile(r"(?:(?<=\s)[12]|&)?>>?\s*(/dev/null|&[12])(?=\s|;|&|\||$)")

_LONGEST = 1000  # shlex takes very long for more


class Command(t.NamedTuple):
    """A command of a script.

    :ivar line: the number of its line. :ivar text: the text, as written. :ivar words: the words; empty if the command
    is not simple. :ivar target: the file to which the command writes its output; empty if there is none.
    """

    line: int
    text: str
    words: list[str]
    target: str = ""


def commands(script: str) -> t.Iterator[Command]:
    """The commands of a script, in order. A loop, a condition or a here-document is one command without words."""
    lines = iter(_joined(script))
    for number, line in lines:
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        block = [text]
        depth = _depth(text)
        heredoc = _HEREDOC.search(text)
        if heredoc and "<<<" not in text:
            for dummy, more in lines:
                if more.strip() == heredoc[1]:
                    break
            yield Command(number, text, [])
            continue
        while depth > 0:
            more = next(lines, None)
            if more is None:
                break
            block.append(more[1].strip())
            depth += _depth(more[1])
        if len(block) > 1 or _is_block(text):
            yield Command(number, _NEEDLESS.sub(r"\1", "; ".join(part for part in block if part)), [])
        else:
            yield from _split(number, text)


def single(text: str) -> Command:
    """A command that no shell reads, so that only quotes have a meaning in it."""
    try:
        words = shlex.split(text) if len(text) <= _LONGEST else []
    except ValueError:  # a quote that is not closed
        words = []
    return Command(1, text, words)


def _joined(script: str) -> t.Iterator[tuple[int, str]]:
    """The lines with their numbers. A backslash at the end of a line joins it with the next one."""
    waiting, first = "", 0
    for number, line in enumerate(script.splitlines(), 1):
        first = first or number
        if line.endswith("\\") and not line.lstrip().startswith("#"):
            waiting += line[:-1] + " "
            continue
        yield first, waiting + line
        waiting, first = "", 0
    if waiting:
        yield first, waiting


def _is_block(text: str) -> bool:
    return bool(_FUNCTION.match(text)) or text.split(None, 1)[0] in _OPENING or text[0] in "({"


def _depth(text: str) -> int:
    """How many blocks a line opens, minus those that it closes."""
    starts = [part.split(None, 1)[0] for part in re.split(r"[;&|]+|\bdo\b|\bthen\b|\belse\b", text) if part.strip()]
    opened = sum(word in _OPENING for word in starts) + bool(_FUNCTION.match(text) and "{" in text)
    return opened - sum(word in _CLOSING for word in starts)


def _split(number: int, text: str) -> t.Iterator[Command]:
    """The commands of one line."""
    tokens = _tokens(_QUIET.sub("", text)) if len(text) <= _LONGEST else None
    if tokens is None:
        yield Command(number, text, [])
        return
    part: list[_Token] = []
    skipping = False
    for token in [*tokens, _Token(";", ";", operator=True)]:
        if not token.operator or token.raw not in _SEPARATORS:
            part.append(token)
            continue
        # A command after || runs only if the one before it fails.
        if part and not (skipping and part[0].raw in ("true", ":", "exit", "echo")):
            yield _command(number, part, simple=not skipping)
        skipping = token.raw == "||"
        part = []


class _Token(t.NamedTuple):
    """A word or an operator. *expands* says that the shell would replace a part of it."""

    raw: str
    value: str
    operator: bool = False
    expands: bool = False


def _tokens(text: str) -> list[_Token] | None:
    """The words and operators of a line, without its comment; None if a quote is not closed."""
    found = []
    place = 0
    while place < len(text):
        character = text[place]
        if character.isspace():
            place += 1
        elif character == "#":
            break
        elif character in _OPERATORS:
            operator = text[place : place + 2] if text[place : place + 2] in ("&&", "||", ">>") else character
            found.append(_Token(operator, operator, operator=True))
            place += len(operator)
        else:
            token = _word(text, place)
            if token is None:
                return None
            found.append(token)
            place += len(token.raw)
    return found


def _word(text: str, start: int) -> _Token | None:
    """The word that begins at a place; None if a quote in it is not closed."""
    value, quote, expands = "", "", False
    place = start
    while place < len(text):
        character = text[place]
        if quote:
            if character == quote:
                quote = ""
            else:
                value += character
                expands = expands or (quote == '"' and character in "$`\\")
        elif character in "'\"":
            quote = character
        elif character.isspace() or character in _OPERATORS:
            break
        else:
            value += character
            expands = expands or character in "$`\\*?"
        place += 1
    return None if quote else _Token(text[start:place], value, expands=expands)


def _command(number: int, tokens: list[_Token], simple: bool) -> Command:
    text = " ".join(token.raw for token in tokens)
    target = ""
    if len(tokens) > 2 and tokens[-2].operator and tokens[-2].raw in (">", ">>") and not tokens[-1].expands:
        target, tokens = tokens[-1].value, tokens[:-2]
    if not simple or any(token.operator or token.expands for token in tokens):
        return Command(number, text, [])
    return Command(number, text, [token.value for token in tokens], target)
