"""What is wrong with a configuration file, as kube-apiserver 1.36 says it."""

from typing import Any

import msgspec
import pytest

from kajitori.apiserver.authentication import AuthenticationError
from kajitori.apiserver.authentication.oidc import configuration_of_flags, read_configuration, validate
from kajitori.apiserver.authentication.options import OidcOptions

HEAD = {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AuthenticationConfiguration"}
ISSUER = {"url": "https://a.example.com", "audiences": ["x"]}
MAPPINGS = {"username": {"claim": "sub", "prefix": ""}}
EMAIL = (
    "claims.email_verified must be used in claimMappings.username.expression or "
    "claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in "
    "claimMappings.username.expression"
)


def jwt(**changes: Any) -> dict[str, Any]:
    return {"issuer": ISSUER, "claimMappings": MAPPINGS, **changes}


def complaints(*disallowed: str, **parts: Any) -> list[str]:
    read = read_configuration(msgspec.json.encode(HEAD | parts))
    return [str(each) for each in validate(read, disallowed)]


def expression(text: str) -> dict[str, Any]:
    return jwt(claimMappings={"username": {"expression": text}})


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty config data"),
        (b"a: [", "yaml: line 1: did not find expected node content"),
        (b"{}", "Object 'Kind' is missing in the file"),
        (b'{"kind": "Foo"}', 'no kind "Foo" is registered for version ""; write apiVersion: apis'),
        (HEAD | {"apiVersion": "apiserver.config.k8s.io/v9"}, 'for version "apiserver.config.k8s.io/v9"'),
        (HEAD | {"jwt": [jwt(foo=1)]}, 'strict decoding error: unknown field "jwt[0].foo"'),
        (HEAD | {"bar": 1}, 'strict decoding error: unknown field "bar"'),
        (HEAD | {"anonymous": {"enabled": True, "foo": 1}}, 'unknown field "anonymous.foo"'),
        (HEAD | {"jwt": "x"}, "jwt: expected array, got str"),
    ],
)
def test_what_cannot_be_read(content: Any, told: str) -> None:  # C1
    with pytest.raises(AuthenticationError) as error:
        read_configuration(content if isinstance(content, bytes) else msgspec.json.encode(content))
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        (
            jwt(issuer={"url": "http://u:p@x?q#f", "audiences": ["x"]}),
            [
                f'jwt[0].issuer.url: Invalid value: "http://u:p@x?q#f": URL {each}'
                for each in (
                    "scheme must be https",
                    "must not contain a username or password",
                    "must not contain a query",
                    "must not contain a fragment",
                )
            ],
        ),
        (
            jwt(issuer={}),
            [
                "jwt[0].issuer.url: Required value",
                "jwt[0].issuer.audiences: Required value: at least one jwt[0].issuer.audiences is required",
            ],
        ),
        (
            jwt(issuer={**ISSUER, "audiences": ["a", "a", ""], "audienceMatchPolicy": "Foo"}),
            [
                'jwt[0].issuer.audiences[1]: Duplicate value: "a"',
                "jwt[0].issuer.audiences[2]: Required value",
                'jwt[0].issuer.audienceMatchPolicy: Invalid value: "Foo": audienceMatchPolicy must be MatchAny for '
                "multiple audiences",
            ],
        ),
        (
            jwt(issuer={**ISSUER, "certificateAuthority": "zzz", "discoveryURL": "https://a.example.com/"}),
            [
                'jwt[0].issuer.discoveryURL: Invalid value: "https://a.example.com/": discoveryURL must be different '
                "from URL",
                'jwt[0].issuer.certificateAuthority: Invalid value: "<omitted>": data does not contain any valid RSA '
                "or ECDSA certificates",
            ],
        ),
        (
            jwt(issuer={**ISSUER, "egressSelectorType": "foo"}),
            [
                'jwt[0].issuer.egressSelectorType: Invalid value: "foo": egress selector must be either '
                "controlplane or cluster"
            ],
        ),
        (
            jwt(claimMappings={}),
            ["jwt[0].claimMappings.username: Required value: claim or expression is required"],
        ),
        (
            jwt(claimMappings={"username": {"claim": "sub"}}),
            [
                "jwt[0].claimMappings.username.prefix: Required value: prefix is required when claim is set. It can "
                "be set to an empty string to disable prefixing"
            ],
        ),
        (
            expression("claims.email"),
            [f'jwt[0].claimMappings.username.expression: Invalid value: "claims.email": {EMAIL}'],
        ),
        (
            expression("claims.?email.orValue('')"),
            [
                f"jwt[0].claimMappings.username.expression: Invalid value: \"claims.?email.orValue('')\": {EMAIL}"
            ],
        ),
        (expression("claims.email_verified ? claims.email : ''"), []),
        (
            jwt(
                claimValidationRules=[
                    {"expression": "claims.foo"},
                    {"expression": "1"},
                    {"claim": "a", "message": "m"},
                    {},
                    {"claim": "a", "expression": "b"},
                    {"claim": "a"},
                ]
            ),
            [
                'jwt[0].claimValidationRules[0].expression: Invalid value: "claims.foo": must evaluate to bool',
                'jwt[0].claimValidationRules[1].expression: Invalid value: "1": must evaluate to bool',
                'jwt[0].claimValidationRules[2].message: Invalid value: "m": may not be specified when claim is set',
                "jwt[0].claimValidationRules[3]: Required value: claim or expression is required",
                'jwt[0].claimValidationRules[4]: Invalid value: "a": claim and expression can\'t both be set',
                'jwt[0].claimValidationRules[5].claim: Duplicate value: "a"',
            ],
        ),
        (
            jwt(userValidationRules=[{"expression": "user.username"}, {}, {"expression": "user.username"}]),
            [
                'jwt[0].userValidationRules[0].expression: Invalid value: "user.username": must evaluate to bool',
                "jwt[0].userValidationRules[1].expression: Required value",
                'jwt[0].userValidationRules[2].expression: Duplicate value: "user.username"',
            ],
        ),
        (
            jwt(
                claimMappings={
                    **MAPPINGS,
                    "groups": {"claim": "g"},
                    "uid": {"claim": "a", "expression": "b"},
                    "extra": [
                        {"key": "Foo", "valueExpression": "'a'"},
                        {"key": "k8s.io/x"},
                        {"key": "a.b/c", "valueExpression": "'a'"},
                        {"key": "a.b/c", "valueExpression": "'a'"},
                    ],
                }
            ),
            [
                "jwt[0].claimMappings.groups.prefix: Required value: prefix is required when claim is set. It can be "
                "set to an empty string to disable prefixing",
                'jwt[0].claimMappings.uid: Invalid value: "": claim and expression can\'t both be set',
                'jwt[0].claimMappings.extra[0].key: Invalid value: "Foo": must be a domain-prefixed path (such as '
                '"acme.io/foo")',
                'jwt[0].claimMappings.extra[0].key: Invalid value: "Foo": must be lowercase',
                'jwt[0].claimMappings.extra[1].key: Invalid value: "k8s.io/x": k8s.io, kubernetes.io and their '
                "subdomains are reserved for Kubernetes use",
                "jwt[0].claimMappings.extra[1].valueExpression: Required value",
                'jwt[0].claimMappings.extra[3].key: Duplicate value: "a.b/c"',
            ],
        ),
    ],
)
def test_what_is_wrong_is_told_all_at_once(parts: dict[str, Any], told: list[str]) -> None:  # V1
    assert complaints(jwt=[parts]) == told


def test_issuers_are_different_and_not_the_servers_own() -> None:
    assert complaints(jwt=[jwt(), jwt()]) == ['jwt[1].issuer.url: Duplicate value: "https://a.example.com"']
    [own] = complaints("https://a.example.com", jwt=[jwt()])
    assert own.endswith("URL must not overlap with disallowed issuers: [https://a.example.com]")
    assert complaints(jwt=[jwt()] * 65) == ["jwt: Too many: 65: must have at most 64 items"]
    assert complaints(anonymous={"enabled": False, "conditions": [{"path": "/x"}]}) == [
        'anonymous.conditions: Invalid value: [{"Path":"/x"}]: enabled should be set to true when conditions are '
        "defined"
    ]


def test_an_expression_that_does_not_compile_says_where() -> None:
    [told] = complaints(jwt=[expression("claims.foo +")])
    assert told.startswith(
        'jwt[0].claimMappings.username.expression: Invalid value: "claims.foo +": compilation failed: ERROR: '
        "<input>:1:13: Syntax error"
    )
    [told] = complaints(jwt=[jwt(userValidationRules=[{"expression": "user.foo == 'a'"}])])
    assert "undefined field 'foo'" in told


@pytest.mark.parametrize(
    ("claim", "prefix", "given"),
    [
        ("sub", "", "https://a#"),
        ("email", "", ""),
        ("sub", "-", ""),
        ("email", "-", ""),
        ("email", "x:", "x:"),
    ],
)
def test_names_have_the_issuer_before_them_unless_somebody_says_otherwise(
    claim: str, prefix: str, given: str
) -> None:
    options = OidcOptions("https://a", "id", username_claim=claim, username_prefix=prefix)
    [issuer] = configuration_of_flags(options).jwt
    assert issuer.claim_mappings.username.prefix == given
