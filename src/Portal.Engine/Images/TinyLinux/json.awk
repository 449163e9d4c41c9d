# Flattens JSON to one "path<TAB>value" line per leaf: {"a":[{"b":"c"}]} gives /a/0/b<TAB>c. Strings are unescaped; a newline inside one becomes a space.
{ rest = rest $0 "\n" }
END { value("") }

function blank() { match(rest, /^[ \t\r\n]*/); rest = substr(rest, RLENGTH + 1) }

function take(n,    part) { part = substr(rest, 1, n); rest = substr(rest, n + 1); return part }

function value(path,    first, index_) {
    blank()
    first = substr(rest, 1, 1)
    if (first == "{") {
        take(1); blank()
        if (substr(rest, 1, 1) == "}") { take(1); return }
        do { blank(); index_ = text(); blank(); take(1); value(path "/" index_); blank() } while (take(1) == ",")
    } else if (first == "[") {
        take(1); blank(); index_ = 0
        if (substr(rest, 1, 1) == "]") { take(1); return }
        do { value(path "/" index_++); blank() } while (take(1) == ",")
    } else if (first == "\"") {
        print path "\t" text()
    } else {
        match(rest, /^[^],} \t\r\n]*/)
        if (RLENGTH < 1) { exit 1 }
        print path "\t" take(RLENGTH)
    }
}

function text(    raw, out, code) {
    if (!match(rest, /^"([^"\\]|\\.)*"/)) { exit 1 }
    raw = take(RLENGTH)
    raw = substr(raw, 2, length(raw) - 2)
    out = ""
    while (match(raw, /\\./)) {
        out = out substr(raw, 1, RSTART - 1)
        code = substr(raw, RSTART + 1, 1)
        raw = substr(raw, RSTART + 2)
        if (code == "n" || code == "t" || code == "r" || code == "b" || code == "f") { out = out " " }
        else if (code == "u") {
            # busybox awk reads 0x as a number only with strtod's help: digits are looked up instead.
            out = out letter(tolower(substr(raw, 1, 4)))
            raw = substr(raw, 5)
        } else { out = out code }
    }
    return out raw
}

function letter(hex,    i, n) {
    n = 0
    for (i = 1; i <= 4; i++) { n = n * 16 + index("0123456789abcdef", substr(hex, i, 1)) - 1 }
    return n >= 32 && n < 127 ? sprintf("%c", n) : "?"
}
