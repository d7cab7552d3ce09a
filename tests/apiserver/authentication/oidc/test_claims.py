"""From claims to users."""

from typing import Any

import msgspec
import pytest

from kajitori.apiserver.authentication import TokenError, User
from kajitori.apiserver.authentication.oidc.claims import ClaimMapper
from kajitori.apiserver.authentication.oidc.configuration import JwtAuthenticator

CLAIMS = {"sub": "jane", "n": 7, "groups": ["a", ""], "deep": {"x.y": ["z"]}, "email": "j@x", "exp": 1}


def mapper(**parts: Any) -> ClaimMapper:
    mappings = parts.pop("mappings", {})
    whole = {"claimMappings": {"username": {"claim": "sub", "prefix": ""}} | mappings, **parts}
    return ClaimMapper(msgspec.convert(whole, JwtAuthenticator))


def test_expressions_make_a_user() -> None:
    found = mapper(
        mappings={
            "username": {"expression": "'idp:' + claims.sub"},
            "groups": {"expression": "claims.groups + claims.deep.x__dot__y"},
            "uid": {"expression": "string(int(claims.n))"},
            "extra": [
                {"key": "a.b/c", "valueExpression": "claims.deep['x.y']"},
                {"key": "a.b/none", "valueExpression": "claims.?gone.orValue('')"},
            ],
        },
        userValidationRules=[
            {"expression": "user.groups.all(g, !g.startsWith('system:'))", "message": "no"},
            {"expression": "user.username == 'idp:jane' && user.extra['a.b/c'][0] == 'z'"},
        ],
        claimValidationRules=[{"expression": "claims.exp < 2.0"}, {"claim": "sub", "requiredValue": "jane"}],
    ).user_of(CLAIMS)
    assert found == User("idp:jane", "7", ("a", "z"), {"a.b/c": ("z",)})


@pytest.mark.parametrize(
    ("parts", "claims", "why"),
    [
        (
            {},
            {"sub": 7},
            'parse username claims "sub": json: cannot unmarshal number into Go value of type string',
        ),
        (
            {"mappings": {"username": {"claim": "email", "prefix": ""}}},
            {"email_verified": False},
            "oidc: email not verified",
        ),
        (
            {"mappings": {"username": {"claim": "email", "prefix": ""}}},
            {"email_verified": "no"},
            "parse 'email_verified' claim",
        ),
        (
            {"mappings": {"username": {"expression": "claims.?gone.orValue('')"}}},
            {},
            "oidc: empty username via CEL expression is not allowed",
        ),
        (
            {"mappings": {"username": {"expression": "claims.n"}}},
            {},
            "username claim expression must return a string",
        ),
        (
            {"mappings": {"username": {"expression": "claims.gone"}}},
            {},
            "oidc: error evaluating username claim expression: expression 'claims.gone' resulted in error: no such "
            "key: gone",
        ),
        (
            {"mappings": {"groups": {"expression": "[claims.n]"}}},
            {},
            "expression must return a string or a list of strings",
        ),
        ({"mappings": {"groups": {"claim": "n", "prefix": ""}}}, {}, 'oidc: parse groups claim "n"'),
        (
            {"claimValidationRules": [{"claim": "hd", "requiredValue": "x"}]},
            {},
            "oidc: required claim hd not present in ID token",
        ),
        (
            {"claimValidationRules": [{"claim": "sub", "requiredValue": "x"}]},
            {},
            "oidc: required claim sub value does not match. Got = jane, want = x",
        ),
        (
            {"claimValidationRules": [{"expression": "claims.n > 8.0", "message": "too few"}]},
            {},
            "error evaluating claim validation expression: validation expression 'claims.n > 8.0' failed: too few",
        ),
        (
            {"userValidationRules": [{"expression": "user.username != 'jane'", "message": "not she"}]},
            {},
            "oidc: error evaluating user info validation rule: validation expression 'user.username != 'jane'' "
            "failed: not she",
        ),
    ],
)
def test_who_does_not_become_a_user_is_told_why(
    parts: dict[str, Any], claims: dict[str, Any], why: str
) -> None:  # U1, U2
    with pytest.raises(TokenError) as error:
        mapper(**parts).user_of({**CLAIMS, **claims})
    assert why in str(error.value)


def test_a_role_may_be_the_only_group() -> None:
    mappings = {"groups": {"claim": "role", "prefix": "r:"}}
    assert mapper(mappings=mappings).user_of({**CLAIMS, "role": "dev"}).groups == ("r:dev",)
    assert mapper(mappings=mappings).user_of(CLAIMS).groups == ()
