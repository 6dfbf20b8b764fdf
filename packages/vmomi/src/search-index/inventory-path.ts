// Paths of the inventory: names between slashes, 'DC/vm/Discovered%2fVM'. Pure.
// Names are stored with '/', '\' and '%' escaped as %2f, %5c and %25 (Folder.CreateFolder and its kin); clients write
// either case of the digits, and some write the character itself where it cannot be mistaken.

/** The names on a path, top down; slashes at either end do not count. */
export function parseInventoryPath(path: string): string[] {
  return path.split('/').filter((name) => name !== '');
}

/** A name as it is compared: without escapes. */
export function plainName(name: string): string {
  return name.replace(/%(2f|5c|25)/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}
