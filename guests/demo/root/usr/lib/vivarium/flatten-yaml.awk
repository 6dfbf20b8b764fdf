# Turns the YAML that seeds are written in into lines of PATH<TAB>VALUE, e.g. `ethernets.nic0.addresses.0<TAB>10.0.0.2/24`.
# Known: block maps and lists, one-line lists and maps, quotes, comments. Block scalars are passed over. No anchors, no tags.
BEGIN { depth = 0; pending = ""; skipDeeperThan = -1 }
{
  line = $0
  sub(/\r$/, "", line)
  match(line, /^ */)
  indent = RLENGTH
  if (skipDeeperThan >= 0) {
    if (line ~ /^ *$/ || indent > skipDeeperThan) next
    skipDeeperThan = -1
  }
  if (line ~ /^[ \t]*(#.*)?$/ || line ~ /^(---|\.\.\.)/) next
  item(indent, substr(line, indent + 1))
}
function item(indent, body) {
  if (body ~ /^-( |$)/) {
    while (depth > 0 && column[depth] > indent) depth--
    if (!(depth > 0 && column[depth] == indent && kind[depth] == "list")) push(indent, "list", pending)
    pending = join(path[depth], count[depth]++)
    if (match(body, /^- +/) && RLENGTH < length(body)) item(indent + RLENGTH, substr(body, RLENGTH + 1))
    return
  }
  if (!match(body, /^("[^"]*"|'[^']*'|[A-Za-z0-9_.\/-]+) *:( |$)/)) {
    emit(pending, body)
    return
  }
  while (depth > 0 && (column[depth] > indent || (column[depth] == indent && kind[depth] == "list"))) depth--
  if (!(depth > 0 && column[depth] == indent)) push(indent, "map", pending)
  key = substr(body, 1, RLENGTH)
  rest = substr(body, RLENGTH + 1)
  sub(/ *: ?$/, "", key)
  pending = join(path[depth], unquote(key))
  sub(/^ +/, "", rest)
  if (rest ~ /^[|>][-+0-9]* *(#.*)?$/) skipDeeperThan = indent
  else if (rest !~ /^(#.*)?$/) emit(pending, rest)
}
function push(indent, what, where) {
  depth++
  column[depth] = indent
  kind[depth] = what
  path[depth] = where
  count[depth] = 0
}
function join(where, name) { return where == "" ? name : where "." name }
function emit(where, value,   parts, n, i, colon) {
  if (value !~ /^["']/) sub(/[ \t]+#.*$/, "", value)
  sub(/[ \t]+$/, "", value)
  if (value ~ /^\[.*\]$/) {
    n = split(substr(value, 2, length(value) - 2), parts, /, */)
    for (i = 1; i <= n; i++) if (parts[i] !~ /^ *$/) emit(join(where, i - 1), trim(parts[i]))
  } else if (value ~ /^\{.*\}$/) {
    n = split(substr(value, 2, length(value) - 2), parts, /, */)
    for (i = 1; i <= n; i++) {
      colon = index(parts[i], ":")
      if (colon > 0) emit(join(where, unquote(trim(substr(parts[i], 1, colon - 1)))), trim(substr(parts[i], colon + 1)))
    }
  } else print where "\t" unquote(value)
}
function trim(text) {
  gsub(/^ +| +$/, "", text)
  return text
}
function unquote(text) {
  if (match(text, /^"([^"\\]|\\.)*"/)) {
    text = substr(text, 2, RLENGTH - 2)
    gsub(/\\"/, "\"", text)
    gsub(/\\\\/, "\\", text)
  } else if (match(text, /^'([^']|'')*'/)) {
    text = substr(text, 2, RLENGTH - 2)
    gsub(/''/, "'", text)
  }
  return text
}
