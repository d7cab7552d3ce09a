"""What exactly is wrong with a value, in Kubernetes' words.

Asked only for values that a `predicate` refused, so it reads the constraints as it goes. Properties are
visited in the order of their names; Kubernetes visits them in no fixed order.

Promises
    E1  messages, paths and reasons are those of kube-apiserver for every keyword
    E2  with an old value, what is unchanged as far as the schema knows it is not complained about (KEP-4008);
        items of a list are matched
        with their old ones only where `x-kubernetes-list-type: map` says how

Source: kube-openapi's pkg/validation/validate, apiextensions' pkg/apiserver/validation.
"""

from typing import Any

import msgspec

from kajitori.apimachinery.errors import FieldError, FieldErrorType
from kajitori.apimachinery.structural.constraints import (
    ABSENT,
    Constraints,
    in_go_order,
    json_type,
    same_json,
)
from kajitori.apimachinery.structural.keywords import (
    has_duplicates,
    is_enumerated,
    number_problems,
    type_problem,
)

__all__ = ["explain", "is_blocking"]


def explain(node: Constraints, value: Any, old: Any = ABSENT, prefix: str = "") -> list[FieldError]:
    """The complaints about a whole value.

    `prefix` is put before the paths of the errors, but not into the texts: Kubernetes validates `status`
    alone and calls its members by their own names.
    """
    # What two parts of an `allOf` say alike is told once.
    return list({str(each): each for each in _Explainer(prefix).errors_of(node, value, old)}.values())


class _Explainer:
    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._found: list[FieldError] = []

    def errors_of(self, node: Constraints, value: Any, old: Any) -> list[FieldError]:
        self._visit(node, "", value, old)
        return self._found

    def _field(self, path: str) -> str:
        """The field of an error about `path`; Go prints a missing path as `<nil>`."""
        own = path.removeprefix(".")
        if not self._prefix or not own:
            return own or self._prefix or "<nil>"
        return f"{self._prefix}.{own}"

    def _invalid(self, path: str, value: Any, detail: str) -> None:
        self._found.append(FieldError.invalid(self._field(path), value, detail))

    def _visit(self, node: Constraints, path: str, value: Any, old: Any) -> int:
        """Complains about one value; gives how much of the schema applied, which ranks alternatives."""
        before = len(self._found)
        matched = self._check(node, path, value, old)
        if len(self._found) > before and old is not ABSENT and _is_unchanged(node, value, old):
            del self._found[before:]
        return matched

    def _check(self, node: Constraints, path: str, value: Any, old: Any) -> int:
        kind = json_type(value)
        if value is None:
            matched = self._check_type(node, path, value, kind)
            self._check_enum(node, path, value)
            return matched
        matched = 1
        if node.types or node.format:
            matched += 1 + self._check_type(node, path, value, kind)
        matched += 1 + self._check_combinators(node, path, value, old)
        if kind == "string":
            matched += 1
            self._check_string(node, path, value)
            if node.check is not None:
                matched += 1
                self._check_format(node, path, value)
        elif kind in ("integer", "number"):
            matched += 2
            for detail, shown, has_path in number_problems(node, value, path):
                self._invalid(path if has_path else "", shown, detail)
        elif kind == "array":
            matched += 2 + self._check_array(node, path, value, old)
        matched += 1
        self._check_enum(node, path, value)
        if kind == "object":
            matched += 1 + self._check_object(node, path, value, old)
        return matched

    def _check_type(self, node: Constraints, path: str, value: Any, kind: str) -> int:
        problem = type_problem(node, value, kind)
        if problem is None:
            return 1
        expected, found = problem
        detail = f'{path} in body must be of type {expected}: "{found}"'
        self._found.append(FieldError.type_invalid(self._field(path), found, detail))
        return 0

    def _check_enum(self, node: Constraints, path: str, value: Any) -> None:
        if node.enum and not is_enumerated(value, node.enum):
            allowed = [each if isinstance(each, str) else _as_json(each) for each in node.enum]
            self._found.append(FieldError.not_supported(self._field(path), in_go_order(value), allowed))

    def _check_string(self, node: Constraints, path: str, value: str) -> None:
        if node.maximum_length is not None and len(value) > node.maximum_length:
            self._found.append(FieldError.too_long(self._field(path), value, node.maximum_length))
        elif node.minimum_length is not None and len(value) < node.minimum_length:
            self._invalid(path, value, f"{path} in body should be at least {node.minimum_length} chars long")
        elif node.pattern_problem or (node.pattern is not None and not node.pattern.matches(value)):
            shown = node.pattern_problem or (node.pattern.source if node.pattern else "")
            self._invalid(path, value, f"{path} in body should match '{shown}'")

    def _check_format(self, node: Constraints, path: str, value: str) -> None:
        assert node.check is not None
        if not node.check(value):
            detail = f"{path} in body must be of type {node.format}: {_as_json(value)}"
            self._found.append(FieldError.type_invalid(self._field(path), value, detail))

    def _check_array(self, node: Constraints, path: str, value: list[Any], old: Any) -> int:
        matched = 0
        if node.items is not None:
            olds = _old_items(node, value, old)
            for index, item in enumerate(value):
                matched += self._visit(node.items, f"{path}[{index}]", item, olds[index])
        count = len(value)
        if node.minimum_items is not None and count < node.minimum_items:
            self._invalid(path, count, f"{path} in body should have at least {node.minimum_items} items")
        if node.maximum_items is not None and count > node.maximum_items:
            self._found.append(FieldError.too_many(self._field(path), count, node.maximum_items))
        if node.unique_items and has_duplicates(value):
            self._invalid(path, "", f"{path} in body shouldn't contain duplicates")
        return matched

    def _check_object(self, node: Constraints, path: str, value: dict[str, Any], old: Any) -> int:
        count = len(value)
        if node.minimum_properties is not None and count < node.minimum_properties:
            least = node.minimum_properties
            self._invalid(path, count, f"{path} in body should have at least {least} properties")
        if node.maximum_properties is not None and count > node.maximum_properties:
            self._found.append(FieldError.too_many(self._field(path), count, node.maximum_properties))
        matched = 0
        for name in sorted(value.keys() - set(node.property_names)):
            if node.additional is not None:
                old_member = _old_member(old, name)
                matched += self._visit(node.additional, f"{path}.{name}", value[name], old_member)
            elif not node.additional_allowed:
                self._invalid(path, name, f"{path}.{name} in body is a forbidden property")
        for name in node.property_names:
            if name in value:
                inner = f"{path}.{name}" if path else name
                # What the type is at the root cannot be told from before: both were converted.
                hidden = not path and name in ("apiVersion", "kind")
                before = ABSENT if hidden else _old_member(old, name)
                matched += self._visit(node.member(name), inner, value[name], before)
        for name in node.required:
            if name not in value:
                self._found.append(FieldError.required(self._field(f"{path}.{name}")))
        return matched

    def _check_combinators(self, node: Constraints, path: str, value: Any, old: Any) -> int:
        matched = 1
        if node.any_of:
            matched += self._check_any_of(node.any_of, path, value, old)
        if node.one_of:
            matched += self._check_one_of(node.one_of, path, value, old)
        if node.all_of:
            matched += self._check_all_of(node.all_of, path, value, old)
        if node.negated is not None and not self._attempt(node.negated, path, value, old)[1]:
            self._general(f'"{path}" must not validate the schema (not)')
        return matched

    def _general(self, detail: str) -> None:
        """A complaint without a field of its own."""
        self._found.append(FieldError.invalid(self._prefix or "<nil>", "", detail))

    def _attempt(self, node: Constraints, path: str, value: Any, old: Any) -> tuple[int, list[FieldError]]:
        before = len(self._found)
        matched = self._check(node, path, value, old)
        errors = self._found[before:]
        del self._found[before:]
        return matched, errors

    def _check_any_of(self, choices: list[Constraints], path: str, value: Any, old: Any) -> int:
        best: tuple[int, list[FieldError]] | None = None
        for choice in choices:
            matched, errors = self._attempt(choice, path, value, old)
            if not errors:
                return matched
            if best is None or matched > best[0]:
                best = matched, errors
        assert best is not None
        self._general(f'"{path}" must validate at least one schema (anyOf)')
        self._found += best[1]
        return best[0]

    def _check_one_of(self, choices: list[Constraints], path: str, value: Any, old: Any) -> int:
        best: tuple[int, list[FieldError]] | None = None
        first, valid = 0, 0
        for choice in choices:
            matched, errors = self._attempt(choice, path, value, old)
            if not errors:
                valid, best = valid + 1, None
                first = first or matched
            elif not valid and (best is None or matched > best[0]):
                best = matched, errors
        if valid == 1:
            return first
        told = "Found none valid" if not valid else f"Found {valid} valid alternatives"
        self._general(f'"{path}" must validate one and only one schema (oneOf). {told}')
        if best is None:
            return 0
        self._found += best[1]
        return best[0]

    def _check_all_of(self, parts: list[Constraints], path: str, value: Any, old: Any) -> int:
        total, valid = 0, 0
        for part in parts:
            matched, errors = self._attempt(part, path, value, old)
            total += matched
            valid += not errors
            self._found += errors
        if valid != len(parts):
            none = "" if valid else ". None validated"
            self._general(f'"{path}" must validate all the schemas (allOf){none}')
        return total


def _is_unchanged(node: Constraints, value: Any, old: Any) -> bool:
    """Whether a value is what it was, as far as its schema can tell: of a field that it does not know nobody can."""
    if type(value) is dict and type(old) is dict:
        for name, member in value.items():
            known = node.member(name) if name in node.property_names else node.additional
            if known is None or name not in old or not _is_unchanged(known, member, old[name]):
                return False
        return len(value) == len(old)
    if type(value) is list and type(old) is list and node.list_type == "map" and node.items is not None:
        olds = _old_items(node, value, old)
        pairs = zip(value, olds, strict=True)
        return len(value) == len(old) and all(
            before is not ABSENT and _is_unchanged(node.items, item, before) for item, before in pairs
        )
    return same_json(value, old)


def _as_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _old_member(old: Any, name: str) -> Any:
    return old.get(name, ABSENT) if type(old) is dict else ABSENT


def _old_items(node: Constraints, value: list[Any], old: Any) -> list[Any]:
    """For each item the old one that it replaces."""
    if type(old) is not list or node.list_type != "map":
        return [ABSENT] * len(value)
    by_key: dict[str, Any] = {}
    for item in old:
        by_key.setdefault(_item_key(node, item), item)
    return [by_key.get(_item_key(node, item), ABSENT) for item in value]


def _item_key(node: Constraints, item: Any) -> str:
    if type(item) is not dict:
        return ""
    return _as_json([[item.get(name)] if name in item else [] for name in node.list_map_keys])


def is_blocking(error: FieldError) -> bool:
    """Whether an error keeps CEL rules from being evaluated: they assume that types and bounds hold."""
    return error.type in _BLOCKING


_BLOCKING = {
    FieldErrorType.NOT_SUPPORTED,
    FieldErrorType.REQUIRED,
    FieldErrorType.TOO_LONG,
    FieldErrorType.TOO_MANY,
    FieldErrorType.TYPE_INVALID,
}
