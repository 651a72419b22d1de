"""What the head of a request proves."""

import pytest

from access.proofs import Proof, proof_of

USER = "x-forwarded-user"


def read(**headers: str) -> Proof:
    """What these headers prove."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return proof_of(named, user_header=USER, peer="10.0.0.1")


@pytest.mark.parametrize(
    ("header", "secret"),
    [
        ("Bearer abc", "abc"),
        ("bearer  abc", "abc"),
        ("Basic abc", ""),
        ("Bearer ", ""),
        ("Bearer a b", ""),
        (f"Bearer {'a' * 501}", ""),
    ],
)
def test_bearer(header: str, secret: str) -> None:
    """One token without spaces, of sane length."""
    assert read(authorization=header).bearer == secret


@pytest.mark.parametrize(
    ("header", "secret"),
    [
        ("perplexica_login=abc", "abc"),
        ("a=b; perplexica_login=abc; c=d", "abc"),
        ("not_perplexica_login=abc", ""),
        ("a=perplexica_login=abc", ""),
        ("perplexica_login=", ""),
    ],
)
def test_cookie(header: str, secret: str) -> None:
    """Ours among others, and no part of another's."""
    assert read(cookie=header).cookie == secret


def test_user_of_a_proxy_comes_with_the_address_that_vouches() -> None:
    """The door decides whether that counts."""
    assert read(x_forwarded_user="ann") == Proof(user="ann", peer="10.0.0.1")


def test_secrets_do_not_show() -> None:
    """A proof may end up in a log."""
    assert repr(read(authorization="Bearer abc", cookie="perplexica_login=def")) == (
        "Proof(bearer, cookie)"
    )
