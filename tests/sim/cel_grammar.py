"""The expressions of CEL that random ones are made of, as a table, and the words and constants in them.

A line says the type of an expression, its weight among those of its type, the features it needs, and how it is
written: ‹T› is an expression of type T, «word» one of the words below, @T a new variable of type T that what follows
may use, and ‹!T› an expression that may not use it. `[a|b]` is one of these. Of the types, T U and V are any, E any or
dynamic, O ordered, N a number, K a map's key; the same letter is the same type all along the line.
"""

import re
from typing import NamedTuple

__all__ = ["CONSTANTS", "GRAMMAR", "VARIABLES", "WORDS", "Rule"]

VARIABLES = {
    "b": "bool",
    "b2": "bool",
    "i": "int",
    "j": "int",
    "u": "uint",
    "d": "double",
    "s": "string",
    "t": "string",
    "y": "bytes",
    "ts": "timestamp",
    "du": "duration",
    "li": "list(int)",
    "lu": "list(uint)",
    "ld": "list(double)",
    "ls": "list(string)",
    "lb": "list(bool)",
    "lli": "list(list(int))",
    "lm": "list(map(string, int))",
    "msi": "map(string, int)",
    "mss": "map(string, string)",
    "mis": "map(int, string)",
    "msl": "map(string, list(string))",
    "x": "dyn",
    "z": "dyn",
    "lx": "list(dyn)",
    "mx": "map(string, dyn)",
}
"""What expressions may read."""

_TABLE = r"""
T  5                      ‹bool› ? ‹T› : ‹T›
T  2                      ‹list(T)›[«small»]
T  1                      ‹list(T)›[‹int›]
T  2                      ‹map(K, T)›[‹K›]
T  2 optionals            ‹optional(T)›.orValue(‹T›)
T  1 optionals            ‹optional(T)›.value()
T  2 bindings             cel.bind(@U, ‹!U›, ‹T›)

bool  9                   ‹bool› && ‹bool›
bool  9                   ‹bool› || ‹bool›
bool  3                   !‹bool›
bool  9                   ‹E› [==|!=] ‹E›
bool  3                   ‹[int|string|dyn|type|null]› [==|!=] ‹dyn›
bool  3                   ‹type› [==|!=] ‹type›
bool  2 optionals         ‹optional(T)› [==|!=] ‹optional(T)›
bool  5                   ‹O› [<|<=|>|>=] ‹O›
bool  1                   ‹O› [<|<=|>|>=] ‹dyn›
bool  2 numeric           ‹[int|uint|double]› [<|<=|>|>=] ‹[int|uint|double]›
bool  3                   ‹E› in ‹list(E)›
bool  2                   ‹K› in ‹map(K, V)›
bool  8                   ‹list(E)›.[all|exists|exists_one](@E, ‹bool›)
bool  2                   ‹map(K, V)›.[all|exists|exists_one](@K, ‹bool›)
bool  3 two_variables     ‹list(E)›.[all|exists|existsOne](@int, @E, ‹bool›)
bool  2 two_variables     ‹map(K, E)›.[all|exists|existsOne](@K, @E, ‹bool›)
bool  5                   ‹string›.[contains|startsWith|endsWith](‹string›)
bool  4                   ‹string›.matches('«pattern»')
bool  1                   ‹string›.matches(‹string›)
bool  4                   has([msi|mss|mx|msl].«field»)
bool  2                   has(‹map(string, E)›.«field»)
bool  2 has_of_dyn        has([x|z|mx.a].«field»)
bool  2 has_of_dyn        has(‹dyn›.«field»)
bool  2                   bool(‹[string|bool]›)
bool  3 sets              sets.[contains|equivalent|intersects](‹list(E)›, ‹list(E)›)
bool  3 optionals         ‹optional(E)›.hasValue()
bool  2 math              math.[isNaN|isInf|isFinite](‹double›)
bool  2 kubernetes        ‹list(O)›.isSorted()
bool  1 kubernetes        [isQuantity|isURL|isIP|isCIDR|isSemver](‹string›)
bool  1 kubernetes        [isQuantity('«amount»')|isIP('«address»')|isCIDR('«block»')|isSemver('«version»')]
bool  1 kubernetes        quantity('«amount»').[isGreaterThan|isLessThan](quantity('«amount»'))
bool  1 kubernetes        ip('«address»').[isUnspecified|isLoopback|isLinkLocalUnicast|isGlobalUnicast]()
bool  1 kubernetes        cidr('«block»').[containsIP('«address»')|containsCIDR('«block»')]
bool  1 kubernetes        semver('«version»', [true|false]).[isLessThan|isGreaterThan](semver('«version»'))
bool  1 kubernetes        format.named('«format»').value().validate(‹string›).hasValue()
bool  1 kubernetes        !format.[dns1123Label|dns1123Subdomain|labelValue|uuid|date]().validate(‹string›).hasValue()

int  9                    ‹int› [+|-] ‹int›
int  9                    ‹int› [*|/|%] ‹int›
int  2                    -‹int›
int  9                    [‹[string|bytes|list(T)|map(K, V)]›.size()|size(‹[string|bytes|list(T)|map(K, V)]›)]
int  6                    int(‹[int|uint|double|string|timestamp]›)
int  5                    ‹timestamp›.get«part»()
int  3                    ‹timestamp›.get«part»('«zone»')
int  2                    ‹duration›.get[Hours|Minutes|Seconds]()
int  1 milliseconds       ‹duration›.getMilliseconds()
int  3                    msi.«field»
int  3 strings            ‹string›.[indexOf|lastIndexOf](‹string›)
int  1 offsets            ‹string›.[indexOf|lastIndexOf](‹string›, ‹int›)
int  2 kubernetes         ‹list(E)›.[indexOf|lastIndexOf](‹E›)
int  1 kubernetes         quantity('«amount»').[asInteger()|compareTo(quantity('1'))|add(3).asInteger()]
int  1 kubernetes         semver('1.10.3-a').[major()|minor()|patch()|compareTo(semver('«version»'))]
int  3 math               math.[bitAnd|bitOr|bitXor|greatest|least](‹int›, ‹int›)
int  2 math               math.[abs|sign|bitNot](‹int›)
int  1 math               math.[bitShiftLeft|bitShiftRight](‹int›, ‹int›)

uint  9                   ‹uint› [+|-] ‹uint›
uint  9                   ‹uint› [*|/|%] ‹uint›
uint  6                   uint(‹[int|uint|double|string]›)
uint  3 math              math.[bitAnd|bitOr|bitXor|greatest|least](‹uint›, ‹uint›)
uint  1 math              math.[bitShiftLeft|bitShiftRight](‹uint›, ‹int›)

double  9                 ‹double› [+|-] ‹double›
double  5                 ‹double› * ‹double›
double  2                 ‹double› / [2.0|-0.5|3.0]
double  5 nan             ‹double› / ‹double›
double  2                 -‹double›
double  6                 double(‹[int|uint|double|string]›)
double  4 math            math.[ceil|floor|round|trunc|abs|sign](‹double›)
double  1 math,nan        math.sqrt(‹double›)
double  2 math            math.[greatest|least](‹double›, ‹double›)

N  2 kubernetes           ‹list(N)›.[sum|min|max]()

string  9                 ‹string› + ‹string›
string  6                 string(‹[int|uint|string|bytes|bool]›)
string  3 fractions       string(‹[double|timestamp|duration]›)
string  3                 mss.«field»
string  9 strings         ‹string›.[lowerAscii|upperAscii|trim]()
string  2 strings         ‹string›.charAt(‹int›)
string  3 strings         ‹string›.replace(‹string›, ‹string›)
string  1 strings         ‹string›.replace(‹string›, ‹string›, ‹int›)
string  2 strings         ‹string›.substring([«small»|‹int›])
string  2 substrings      ‹string›.substring([«small»|‹int›], [«small»|‹int›])
string  2 strings         ‹list(string)›.join()
string  2 strings         ‹list(string)›.join(‹string›)
string  2 format          strings.quote(‹string›)
string  3 format          '%s'.format([dyn(‹[string|int|bool|list(int)|map(string, int)|uint|null|type]›)])
string  1 format          '%s and %s'.format([dyn(‹list([int|bool|string])›), dyn(‹map(K, int)›)])
string  2 fractions,bytes  '%s'.format([dyn(‹T›)])
string  2 fractions       '%s|%s'.format([dyn(‹[double|timestamp|duration]›), dyn(‹map(K, double)›)])
string  2 format          '[%d|%x|%X|%o|%b]%%[%d|%x|%b]'.format([dyn(‹[int|uint]›), dyn(‹[int|uint]›)])
string  1 format          '[%x|%X] %b'.format([dyn(‹[string|bytes]›), dyn(‹[bool|int|uint]›)])
string  2 format          '[%.2f|%f|%.0f|%.3e|%e]'.format([dyn(‹double›)])
string  1 reverse         ‹string›.reverse()
string  2 encoders        base64.encode(‹bytes›)
string  3 kubernetes      ‹string›.find('«pattern»')
string  1 kubernetes      url('«url»').get[Scheme|Host|Hostname|Port|EscapedPath]()
string  1 kubernetes      string([ip('«address»')|cidr('«block»').ip()|cidr('«block»').masked()])

bytes  3                  ‹bytes› + ‹bytes›
bytes  3                  bytes(‹[string|bytes]›)
bytes  1 encoders         base64.decode(base64.encode(‹bytes›))
bytes  2 bad_base64       base64.decode(‹string›)

timestamp  3              ‹timestamp› [+|-] ‹duration›
timestamp  1              ‹duration› + ‹timestamp›
timestamp  2              timestamp(‹[int|timestamp|string]›)
duration  3               ‹timestamp› - ‹timestamp›
duration  3               ‹duration› [+|-] ‹duration›
duration  1               duration(‹[duration|string]›)

type  4                   type(‹E›)
dyn  4                    dyn(‹T›)
dyn  3                    ‹dyn› [+|-] ‹dyn›
dyn  2                    ‹dyn› [*|/|%] ‹dyn›
dyn  2                    ‹list(dyn)›[[«small»|‹int›]]
dyn  2                    ‹dyn›[‹[int|string|dyn]›]
dyn  6                    ‹[dyn|map(string, dyn)]›.«field»

list(T)  4                [‹T›]
list(T)  4                [‹T›, ‹T›]
list(T)  4                [‹T›, ‹T›, ‹T›]
list(T)  2 optionals      [?‹optional(T)›, ‹T›]
list(T)  5                ‹list(T)› + ‹list(T)›
list(T)  4                ‹list(E)›.map(@E, ‹T›)
list(T)  2                ‹list(E)›.map(@E, ‹bool›, ‹T›)
list(T)  1 map_order      ‹map(K, E)›.map(@K, ‹T›)
list(T)  5                ‹list(T)›.filter(@T, ‹bool›)
list(T)  2 two_variables  ‹list(E)›.transformList(@int, @E, ‹T›)
list(T)  1 two_variables  ‹list(E)›.transformList(@int, @E, ‹bool›, ‹T›)
list(T)  1 map_order      ‹map(K, E)›.transformList(@K, @E, ‹T›)
list(T)  4 lists          ‹list(T)›.[reverse|distinct]()
list(T)  2 lists          ‹list(T)›.slice([0|0|1|-1], [1|1|2])
list(T)  2 lists          ‹list(T)›.sortBy(@T, ‹[int|string|double]›)
list(O)  3 lists          ‹list(O)›.sort()
list(O)  2 lists          ‹list(list(O))›.flatten()
list(int)  2 lists        lists.range([0|1|5])
list(int)  1 ranges       lists.range(-1)
list(string)  3 strings   ‹string›.split([','|'a'|'日'])
list(string)  1 strings   ‹string›.split([','|'a'|'日'], [-1|0|1|2])
list(string)  2 empty_splits  ‹string›.split(‹string›)
list(string)  1 empty_splits  ‹string›.split(‹string›, [-1|0|1|2])
list(string)  2 kubernetes  ‹string›.findAll('«pattern»')
list(string)  1 kubernetes  ‹string›.findAll('«pattern»', [-1|0|1|2])

map(K, T)  4              {‹K›: ‹T›}
map(K, T)  4              {‹K›: ‹T›, ‹K›: ‹T›}
map(K, T)  2 optionals    {?‹K›: ‹optional(T)›}
map(K, T)  2 none_over    {‹K›: ‹T›, ?‹K›: ‹optional(T)›}
map(K, T)  3 transform    ‹map(K, E)›.transformMap(@K, @E, ‹T›)
map(K, T)  1 transform    ‹map(K, E)›.transformMap(@K, @E, ‹bool›, ‹T›)
map(int, T)  2 transform  ‹list(E)›.transformMap(@int, @E, ‹T›)
map(K, T)  1 transform    ‹list(E)›.transformMapEntry(@int, @E, {‹K›: ‹T›})

optional(T)  4            optional.of(‹T›)
optional(T)  2            ‹list(T)›[?[«small»|‹int›]]
optional(T)  3            ‹map(K, T)›[?‹K›]
optional(T)  3            ‹map(string, T)›.?«field»
optional(T)  2            ‹optional(T)›.or(‹optional(T)›)
optional(T)  2            ‹optional(U)›.optMap(@U, ‹T›)
optional(T)  2            ‹optional(U)›.optFlatMap(@U, ‹optional(T)›)
optional(T)  2            ‹bool› ? ‹optional(T)› : optional.none()
optional(T)  2            ‹list(T)›.[first|last]()
optional([int|uint|double|string|bool|bytes|duration])  1  optional.ofNonZeroValue(‹T›)
optional(timestamp)  1 zero_timestamps  optional.ofNonZeroValue(‹timestamp›)
"""


def _lists(table: str) -> dict[str, tuple[str, ...]]:
    """Names with what follows them, separated by two spaces, over as many lines as it takes."""
    found: dict[str, tuple[str, ...]] = {}
    name = ""
    for line in filter(None, table.splitlines()):
        head, *words = re.split(r"  +", line.rstrip())
        name = head or name
        found[name] = (*found.get(name, ()), *words)
    return found


WORDS = _lists(r"""
small      0  0  0  0  1  1  2  -1
field      a  b  c  absent  name
zone       UTC  UTC  Asia/Tokyo  America/New_York  +09:00  -02:30  No/Where
part       FullYear  Month  DayOfYear  DayOfMonth  Date  DayOfWeek  Hours  Minutes  Seconds  Milliseconds
pattern    a+  ^a  b$  [a-c]+  a.c  (a|b)*  \\d+  ^$  日  x{2,3}  (?i)A  a|  \\bfoo\\b
amount     1  1.5Gi  500m  2k  12e20  -1Mi  1e3  x
address    10.0.0.1  ::1  fe80::1  224.0.0.1  1.2.3  ::ffff:1.2.3.4  0.0.0.0  fd00:0::2
block      10.0.0.0/8  10.1.2.3/8  ::/0  fd00::/8  10.0.0.0/33  10.1.0.0/16  x
version    1.2.3  v1.2  1.0.0-rc.1  01.2.3  2.0.0+b  1
format     dns1123Label  uuid  date  qualifiedName  nothing  byte  labelValue  uri
url        https://user@example.com:80/a/b?x=1&y=%20#f  /path?q  http://[::1]:8080/  a b
""")

CONSTANTS = _lists(r"""
bool       true  false
int        0  1  2  3  5  7  10  42  63  64  100  255  1000  0x1f  2147483648  9007199254740993  -1  -3
           9223372036854775807  -9223372036854775808  -9223372036854775807
uint       0u  1u  2u  3u  7u  10u  42u  255u  4294967296u  9007199254740993u  9223372036854775808u
           18446744073709551615u
double     0.0  1.0  0.5  1.5  3.14  1e10  1e-7  1e100  9007199254740993.0  9.3e18  1.8446744073709552e19
           -1.0  -2.5  -0.0
string     ''  'a'  "b"  'abc'  '''foo'''  r'a'  'Hello World'  '日本語'  'a,b,c'  '1'  '-17'  '3.5'  'true'
           '\u65e5\U0001F600é'  ' x '  '\'\"'  '\n\t'  '1h'  '2020-01-01T00:00:00Z'
bytes      b''  b'a'  b'abc'  b'\xff\000'  b'é'  b'日'  br'\n'
timestamp  timestamp('1970-01-01T00:00:00Z')  timestamp('2009-02-13T23:31:30Z')  timestamp('2020-02-29T12:34:56.789Z')
           timestamp('9999-12-31T23:59:59Z')  timestamp('0001-01-01T00:00:00Z')  timestamp('1969-12-31T23:59:59.5Z')
           timestamp('2024-03-10T16:30:00+09:00')
duration   duration('0s')  duration('1s')  duration('-1s')  duration('1.5s')  duration('1h')  duration('1m30s')
           duration('1ms')  duration('-2h5m')  duration('90061s')  duration('0.000001s')
type       bool  int  uint  double  string  bytes  list  map  null_type  type  google.protobuf.Timestamp
           google.protobuf.Duration
null       null
""")


class Rule(NamedTuple):
    """One line of the table."""

    type: str
    weight: int
    needs: frozenset[str]
    template: str


def _rules() -> tuple[Rule, ...]:
    rules = []
    for line in _TABLE.splitlines():
        if line:
            type_, _, rest = line.partition("  ")
            head, _, template = rest.strip().partition("  ")
            weight, _, needs = head.partition(" ")
            rules.append(Rule(type_, int(weight), frozenset(needs.split(",")) - {""}, template.strip()))
    return tuple(rules)


GRAMMAR = _rules()
