"""Holds JSON against a discovery document (Google API Discovery Service, v1).

The document is the one that google-api-python-client carries in its own package, so what a reply must look
like is Google's word and not a copy of it.
"""

import json
import re
from importlib import resources

INT64 = re.compile(r"-?(0|[1-9][0-9]*)\Z")
DURATION = re.compile(r"-?[0-9]+(\.[0-9]{1,9})?s\Z")
DATETIME = re.compile(r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9](\.[0-9]{1,9})?Z\Z")

# Written out as "" at the end of a walk, in Google's own examples.
MAY_BE_EMPTY = {"nextPageToken"}


def load():
    """Returns the package's document of the Google Health API, version 4."""
    documents = resources.files("googleapiclient.discovery_cache") / "documents"
    return json.loads((documents / "health.v4.json").read_text(encoding="utf-8"))


class Document:
    """A discovery document that replies can be held against."""

    def __init__(self, document):
        self.schemas = document["schemas"]
        self.methods = [
            (method["httpMethod"], re.compile(_pattern(method["flatPath"])), method)
            for method in _methods(document["resources"])
        ]

    def method(self, http_method, path):
        """Returns the method that a request means."""
        for verb, pattern, method in self.methods:
            if verb == http_method and pattern.fullmatch(path):
                return method
        raise LookupError(f"the document has no method for {http_method} {path}")

    def problems(self, value, schema_name):
        """Returns what is wrong with a value that should be of a schema."""
        return list(self._check(value, {"$ref": schema_name}, schema_name))

    def _check(self, value, schema, place):
        if "$ref" in schema:
            schema = self.schemas[schema["$ref"]]
        kind = schema.get("type")
        if kind == "any":
            return
        check = {
            "object": self._object,
            "array": self._array,
            "string": _string,
            "integer": _integer,
            "number": _number,
            "boolean": _boolean,
        }[kind]
        yield from check(value, schema, place)

    def _object(self, value, schema, place):
        if not isinstance(value, dict):
            yield f"{place} is {value!r}, not an object"
            return
        properties = schema.get("properties", {})
        for name, member in value.items():
            inside = f"{place}.{name}"
            known = properties.get(name) or schema.get("additionalProperties")
            if known is None:
                yield f"{inside} is not in the schema"
                continue
            if name in properties and member in (0, "", "0", False, []) and name not in MAY_BE_EMPTY:
                yield f"{inside} is {member!r}, which proto3 leaves out"
            yield from self._check(member, known, inside)

    def _array(self, value, schema, place):
        if not isinstance(value, list):
            yield f"{place} is {value!r}, not an array"
            return
        for index, item in enumerate(value):
            yield from self._check(item, schema["items"], f"{place}[{index}]")


def _string(value, schema, place):
    if not isinstance(value, str):
        yield f"{place} is {value!r}, not a string"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place} is {value!r}, not one of {schema['enum']}"
    pattern = {
        "int64": INT64,
        "uint64": INT64,
        "google-datetime": DATETIME,
        "google-duration": DURATION,
    }.get(schema.get("format"))
    if pattern and not pattern.match(value):
        yield f"{place} is {value!r}, not of the format {schema['format']}"
    if pattern is INT64 and pattern.match(value) and not -(2**63) <= int(value) < 2**64:
        yield f"{place} is {value}, which 64 bits do not hold"


def _integer(value, schema, place):
    if not isinstance(value, int) or isinstance(value, bool):
        yield f"{place} is {value!r}, not an integer"
    elif schema.get("format") == "int32" and not -(2**31) <= value < 2**31:
        yield f"{place} is {value}, which 32 bits do not hold"


def _number(value, _schema, place):
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        yield f"{place} is {value!r}, not a number"


def _boolean(value, _schema, place):
    if not isinstance(value, bool):
        yield f"{place} is {value!r}, neither true nor false"


def _methods(named):
    for resource in named.values():
        yield from resource.get("methods", {}).values()
        yield from _methods(resource.get("resources", {}))


def _pattern(flat_path):
    parts = re.split(r"\{[^}]*\}", flat_path)
    return "/" + "[^/:]+".join(re.escape(part) for part in parts)
