"""What is wrong with an authentication configuration.

Promises
    V1  all of it is told at once, in the words and with the paths of kube-apiserver

Source: apiserver's pkg/apis/apiserver/validation/validation.go.
"""

import ssl
from collections.abc import Callable, Collection
from urllib.parse import urlsplit

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.urls import UrlError, parse_url
from kajitori.apis.validation.checks import Errors, check_domain_path
from kajitori.apiserver.authentication.oidc.configuration import (
    AuthenticationConfiguration,
    ClaimRule,
    Issuer,
    Mapping,
    Mappings,
    UserRule,
)
from kajitori.apiserver.authentication.oidc.expressions import Compiled, compile_claims, compile_user

__all__ = ["ISSUERS_MAX", "validate"]

ISSUERS_MAX = 64
_ANY = "MatchAny"
_EGRESS = ("controlplane", "cluster")


def validate(
    configuration: AuthenticationConfiguration, disallowed: Collection[str] = ()
) -> list[FieldError]:
    """What is wrong with it. `disallowed` are issuers that are somebody else's: the server's own."""
    errors: list[FieldError] = []
    if len(configuration.jwt) > ISSUERS_MAX:
        return [FieldError.too_many("jwt", len(configuration.jwt), ISSUERS_MAX)]
    issuers: set[str] = set()
    discovered: set[str] = set()
    for index, each in enumerate(configuration.jwt):
        path = f"jwt[{index}]"
        _check_issuer(each.issuer, f"{path}.issuer", errors, disallowed)
        uses = _Uses()
        _check_claim_rules(each.claim_validation_rules, f"{path}.claimValidationRules", errors, uses)
        _check_mappings(each.claim_mappings, f"{path}.claimMappings", errors, uses)
        _check_user_rules(each.user_validation_rules, f"{path}.userValidationRules", errors)
        if each.issuer.url in issuers:
            errors.append(FieldError.duplicate(f"{path}.issuer.url", each.issuer.url))
        issuers.add(each.issuer.url)
        if each.issuer.discovery_url:
            if each.issuer.discovery_url in discovered:
                errors.append(FieldError.duplicate(f"{path}.issuer.discoveryURL", each.issuer.discovery_url))
            discovered.add(each.issuer.discovery_url)
    anonymous = configuration.anonymous
    if anonymous is not None and not anonymous.enabled and anonymous.conditions:
        shown = [{"Path": each.path} for each in anonymous.conditions]
        told = "enabled should be set to true when conditions are defined"
        errors.append(FieldError.invalid("anonymous.conditions", shown, told))
    return errors


class _Uses:
    """Which claims the expressions of one issuer look at."""

    def __init__(self) -> None:
        self.email_verified = False


def _check_issuer(issuer: Issuer, path: str, errors: Errors, disallowed: Collection[str]) -> None:
    if issuer.url:
        _check_url(issuer.url, f"{path}.url", errors, disallowed)
    else:
        errors.append(FieldError.required(f"{path}.url"))
    discovery = issuer.discovery_url
    if discovery:
        where = f"{path}.discoveryURL"
        if issuer.url and issuer.url.rstrip("/") == discovery.rstrip("/"):
            errors.append(FieldError.invalid(where, discovery, "discoveryURL must be different from URL"))
        _check_url(discovery, where, errors, ())
    _check_audiences(issuer, path, errors)
    if issuer.certificate_authority:
        try:
            ssl.create_default_context(cadata=issuer.certificate_authority)
        except ssl.SSLError:
            told = "data does not contain any valid RSA or ECDSA certificates"
            errors.append(FieldError.invalid(f"{path}.certificateAuthority", "<omitted>", told))
    egress = issuer.egress_selector_type
    if egress and egress not in _EGRESS:
        told = "egress selector must be either controlplane or cluster"
        errors.append(FieldError.invalid(f"{path}.egressSelectorType", egress, told))


def _check_url(url: str, path: str, errors: Errors, disallowed: Collection[str]) -> None:
    if url in disallowed:
        told = f"URL must not overlap with disallowed issuers: [{' '.join(sorted(disallowed))}]"
        errors.append(FieldError.invalid(path, url, told))
    try:
        parse_url(url)
    except UrlError as error:
        errors.append(FieldError.invalid(path, url, str(error)))
        return
    parts = urlsplit(url)
    for wrong, told in (
        (parts.scheme != "https", "URL scheme must be https"),
        ("@" in parts.netloc, "URL must not contain a username or password"),
        (bool(parts.query), "URL must not contain a query"),
        (bool(parts.fragment), "URL must not contain a fragment"),
    ):
        if wrong:
            errors.append(FieldError.invalid(path, url, told))


def _check_audiences(issuer: Issuer, path: str, errors: Errors) -> None:
    where, policy = f"{path}.audiences", issuer.audience_match_policy
    if not issuer.audiences:
        errors.append(FieldError.required(where, f"at least one {where} is required"))
        return
    seen: set[str] = set()
    for index, audience in enumerate(issuer.audiences):
        if not audience:
            errors.append(FieldError.required(f"{where}[{index}]"))
        if audience in seen:
            errors.append(FieldError.duplicate(f"{where}[{index}]", audience))
        seen.add(audience)
    told = ""
    if len(issuer.audiences) > 1 and policy != _ANY:
        told = "audienceMatchPolicy must be MatchAny for multiple audiences"
    elif len(issuer.audiences) == 1 and policy not in ("", _ANY):
        told = "audienceMatchPolicy must be empty or MatchAny for single audience"
    if told:
        errors.append(FieldError.invalid(f"{path}.audienceMatchPolicy", policy, told))


def _check_claim_rules(rules: list[ClaimRule], path: str, errors: Errors, uses: _Uses) -> None:
    claims: set[str] = set()
    expressions: set[str] = set()
    for index, rule in enumerate(rules):
        where = f"{path}[{index}]"
        if rule.claim and rule.expression:
            errors.append(FieldError.invalid(where, rule.claim, "claim and expression can't both be set"))
        elif not rule.claim and not rule.expression:
            errors.append(FieldError.required(where, "claim or expression is required"))
        elif rule.claim:
            if rule.message:
                told = "may not be specified when claim is set"
                errors.append(FieldError.invalid(f"{where}.message", rule.message, told))
            if rule.claim in claims:
                errors.append(FieldError.duplicate(f"{where}.claim", rule.claim))
            claims.add(rule.claim)
        else:
            if rule.required_value:
                told = "may not be specified when expression is set"
                errors.append(FieldError.invalid(f"{where}.requiredValue", rule.required_value, told))
            if rule.expression in expressions:
                errors.append(FieldError.duplicate(f"{where}.expression", rule.expression))
                continue
            expressions.add(rule.expression)
            compiled = _compiled(
                lambda text: compile_claims(text, boolean=True), rule.expression, where, errors
            )
            uses.email_verified |= compiled is not None and compiled.reads("email_verified")


def _compiled(
    compile_text: Callable[[str], Compiled],
    text: str,
    path: str,
    errors: Errors,
    member: str = "expression",
) -> Compiled | None:
    compiled = compile_text(text)
    if compiled.error:
        errors.append(FieldError.invalid(f"{path}.{member}", text, compiled.error))
        return None
    return compiled


def _check_mappings(mappings: Mappings, path: str, errors: Errors, uses: _Uses) -> None:
    username = _check_mapping(mappings.username, f"{path}.username", errors, required=True)
    uses.email_verified |= username is not None and username.reads("email_verified")
    _check_mapping(mappings.groups, f"{path}.groups", errors, required=False)
    uid = mappings.uid
    if uid.claim and uid.expression:
        errors.append(FieldError.invalid(f"{path}.uid", "", "claim and expression can't both be set"))
    elif uid.expression:
        _compiled(compile_claims, uid.expression, f"{path}.uid", errors)
    keys: set[str] = set()
    for index, extra in enumerate(mappings.extra):
        where = f"{path}.extra[{index}]"
        _check_extra_key(extra.key, f"{where}.key", errors)
        if extra.key in keys:
            errors.append(FieldError.duplicate(f"{where}.key", extra.key))
            continue
        keys.add(extra.key)
        if not extra.value_expression:
            errors.append(FieldError.required(f"{where}.valueExpression"))
            continue
        compiled = _compiled(compile_claims, extra.value_expression, where, errors, "valueExpression")
        uses.email_verified |= compiled is not None and compiled.reads("email_verified")
    if username is not None and username.reads("email") and not uses.email_verified:
        told = (
            "claims.email_verified must be used in claimMappings.username.expression or "
            "claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used "
            "in claimMappings.username.expression"
        )
        expression = mappings.username.expression
        errors.append(FieldError.invalid(f"{path}.username.expression", expression, told))


def _check_mapping(mapping: Mapping, path: str, errors: Errors, *, required: bool) -> Compiled | None:
    if mapping.expression and mapping.claim:
        errors.append(FieldError.invalid(path, "", "claim and expression can't both be set"))
    elif mapping.expression:
        if mapping.prefix is not None:
            told = "may not be specified when expression is set"
            errors.append(FieldError.invalid(f"{path}.prefix", mapping.prefix, told))
        return _compiled(compile_claims, mapping.expression, path, errors)
    elif mapping.claim:
        if mapping.prefix is None:
            told = (
                "prefix is required when claim is set. It can be set to an empty string to disable prefixing"
            )
            errors.append(FieldError.required(f"{path}.prefix", told))
    elif required:
        errors.append(FieldError.required(path, "claim or expression is required"))
    return None


def _check_extra_key(key: str, path: str, errors: Errors) -> None:
    check_domain_path(key, path, errors)
    if key != key.lower():
        errors.append(FieldError.invalid(path, key, "must be lowercase"))
    domain = key.partition("/")[0] if "/" in key else ""
    if any(domain == each or domain.endswith(f".{each}") for each in ("kubernetes.io", "k8s.io")):
        told = "k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use"
        errors.append(FieldError.invalid(path, key, told))


def _check_user_rules(rules: list[UserRule], path: str, errors: Errors) -> None:
    seen: set[str] = set()
    for index, rule in enumerate(rules):
        where = f"{path}[{index}]"
        if not rule.expression:
            errors.append(FieldError.required(f"{where}.expression"))
        elif rule.expression in seen:
            errors.append(FieldError.duplicate(f"{where}.expression", rule.expression))
        else:
            seen.add(rule.expression)
            _compiled(compile_user, rule.expression, where, errors)
