/** A name without folder: no separators, no `.`/`..`, no control characters, not longer than a file name can be. */
export function isPlainFileName(name: string): boolean {
  return (
    name.length > 0 &&
    Buffer.byteLength(name) <= 255 &&
    name !== '.' &&
    name !== '..' &&
    !/[/\\]|\p{Cc}|\p{Cs}/u.test(name)
  );
}
