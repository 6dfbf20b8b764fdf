// Text into XML 1.0. What XML cannot carry at all (control characters, lone surrogates, U+FFFE, U+FFFF) becomes U+FFFD:
// a client's parser would refuse the whole answer, not the one string.

const SPECIAL = /[&<>"\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]/;
const FORBIDDEN = /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g;

/** Element content. CR is written as a reference: a parser would turn a bare one into LF. */
export function escapeText(text: string): string {
  if (!SPECIAL.test(text)) return text;
  return text
    .toWellFormed()
    .replace(FORBIDDEN, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('\r', '&#13;');
}

/** The content of a double-quoted attribute. */
export function escapeAttribute(text: string): string {
  if (!SPECIAL.test(text)) return text;
  return escapeText(text).replaceAll('"', '&quot;').replaceAll('\n', '&#10;').replaceAll('\t', '&#9;');
}
