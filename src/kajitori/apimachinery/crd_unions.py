"""Objects of which some members exclude others, as schemas and rules.

Sits under `crd_schemas`. A structural schema says the members of an object once; which of them go together is said by
CEL rules, whose messages name the members.

Promises
    N1  a value that one of the structs reads is valid, and one that none reads is not, as far as members go: those of
        another tag are refused, those that the tag's struct requires are demanded
    N2  nothing is filled in that another tag would refuse: a default is given to the API server only where all structs
        have it

Source: kubernetes' conventions on unions (a discriminator and members); controller-gen's ExactlyOneOf and its like.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from kajitori.apimachinery.cel.escaping import escape
from kajitori.apimachinery.declare import AtLeastOneOf, AtMostOneOf, DeclarationError, ExactlyOneOf
from kajitori.apimachinery.kind import JsonObject

__all__ = ["member_rules", "tag_schema", "united"]


def tag_schema(struct: type[msgspec.Struct]) -> tuple[JsonObject, list[str]]:
    """The member that tells a tagged struct apart, and the names of what is required so far."""
    config = struct.__struct_config__
    if config.tag_field is None:
        return {}, []
    kind = "integer" if isinstance(config.tag, int) else "string"
    return {config.tag_field: {"type": kind, "enum": [config.tag]}}, [config.tag_field]


def united(choices: Sequence[tuple[Any, JsonObject]], where: str) -> JsonObject:
    """One schema for a union of tagged structs; each comes with its own.

    Raises: DeclarationError when a member is of two types.
    """
    fields = {struct.__struct_config__.tag_field for struct, _ in choices}
    if len(fields) > 1:
        raise DeclarationError(
            f"{where}: the structs of a union have one tag_field; here {', '.join(sorted(fields))}"
        )
    tag = fields.pop()
    schemas = {struct.__struct_config__.tag: schema for struct, schema in choices}
    schema: JsonObject = {"type": "object", "required": [tag]}
    properties: JsonObject = {}
    for struct, own in choices:
        for name, member in own["properties"].items():
            known = properties.setdefault(name, dict(member))
            if name != tag and _plain(known) != _plain(member):
                raise DeclarationError(
                    f"{where}: {name} of {struct.__name__} is not what another struct of the union has under "
                    "that name; rename one"
                )
            if known.get("default") != member.get("default"):
                known.pop("default", None)
    first = schemas[next(iter(schemas))]["properties"][tag]
    properties[tag] = {**first, "enum": list(schemas)}
    for name, member in properties.items():
        if not all(name in own["properties"] for own in schemas.values()):
            member.pop("default", None)
    schema["properties"] = properties
    if rules := _rules(tag, schemas):
        schema["x-kubernetes-validations"] = rules
    return schema


def _rules(tag: str, schemas: dict[Any, JsonObject]) -> list[JsonObject]:
    rules: list[JsonObject] = []
    names = sorted({name for own in schemas.values() for name in own["properties"]} - {tag})
    for name in names:
        member = f"has(self.{escape(name)})"
        having = [each for each, own in schemas.items() if name in own["properties"]]
        demanding = [each for each, own in schemas.items() if name in own.get("required", ())]
        if len(having) < len(schemas):
            rules.append(
                {
                    "rule": f"{_is_one(tag, having)} || !{member}",
                    "message": f"{name} goes with {tag} {_told(having)} only",
                }
            )
        if demanding:
            rules.append(
                {
                    "rule": f"!({_is_one(tag, demanding)}) || {member}",
                    "message": f"{name} is required with {tag} {_told(demanding)}",
                }
            )
    for each, own in schemas.items():
        for rule in own.get("x-kubernetes-validations", ()):
            rules.append({**rule, "rule": f"!({_is_one(tag, [each])}) || ({rule['rule']})"})
    return rules


def _is_one(tag: str, values: Sequence[Any]) -> str:
    shown = ", ".join(msgspec.json.encode(each).decode() for each in values)
    return f"self.{escape(tag)} in [{shown}]"


def _told(values: Sequence[Any]) -> str:
    return " or ".join(str(each) for each in values)


def _plain(schema: JsonObject) -> JsonObject:
    return {name: each for name, each in schema.items() if name not in ("description", "default")}


def member_rules(
    marker: ExactlyOneOf | AtMostOneOf | AtLeastOneOf, schema: JsonObject, where: str
) -> list[JsonObject]:
    """The rule of a marker about some members of a struct, by their names on the wire.

    Raises: DeclarationError when there is no such member.
    """
    known: JsonObject = schema.get("properties", {})
    for name in marker.names:
        if name not in known:
            said = type(marker).__name__
            raise DeclarationError(f"{where}: {said}: there is no {name}; there is {', '.join(known)}")
    comparison, words = {
        ExactlyOneOf: ("==", "exactly one of"),
        AtMostOneOf: ("<=", "at most one of"),
        AtLeastOneOf: (">=", "at least one of"),
    }[type(marker)]
    given = ", ".join(f"has(self.{escape(name)})" for name in marker.names)
    rule = f"[{given}].filter(x, x).size() {comparison} 1"
    return [{"rule": rule, "message": f"give {words} {', '.join(marker.names)}"}]
