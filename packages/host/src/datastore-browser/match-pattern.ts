// File name patterns of a search: `*` any run of characters, `?` any one; everything else is itself. Pure.

/** Whether one of the patterns matches the whole name; no patterns match everything. */
export function matchesPatterns(name: string, patterns: readonly string[], ignoreCase: boolean): boolean {
  if (patterns.length === 0) return true;
  const fold = (text: string) => Array.from(ignoreCase ? text.toLowerCase() : text);
  return patterns.some((pattern) => matches(fold(name), fold(pattern)));
}

// The usual two-finger walk: at a mismatch the last star takes one character more. No regular expression, so that no
// pattern can make the search take exponential time.
function matches(name: readonly string[], pattern: readonly string[]): boolean {
  let at = 0;
  let place = 0;
  let star = -1;
  let starAt = 0;
  while (at < name.length) {
    if (pattern[place] === '*') {
      star = place++;
      starAt = at;
    } else if (pattern[place] === '?' || (place < pattern.length && pattern[place] === name[at])) {
      at++;
      place++;
    } else if (star >= 0) {
      place = star + 1;
      at = ++starAt;
    } else return false;
  }
  while (pattern[place] === '*') place++;
  return place === pattern.length;
}
